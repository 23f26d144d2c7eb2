"""Second opinions: contexts that did not make a sentence, and what the target itself says of it."""

from __future__ import annotations

from dataclasses import astuple
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.keywords import problem
from app.tasks.sampling.choice import FINALISTS, HEAVIEST, OPINIONS, TOO_LIGHT
from app.tasks.sampling.naturalness import features_of
from app.tasks.sampling.objective import SEARCHED
from samplers.bleu import NGrams

FAST = {"kind": "metropolis", "chains": 4, "steps": 20}


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    body = {"keywords": ["今天", "公园"], "sampler": FAST, "seed": 3, "samples": 5, **body}
    response = client.post("/v1/sentences", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


FIGURES = {"minimum_bayes_risk": "utility"}
"""Of a sentence, where it has not the name of the order."""


@pytest.mark.parametrize(
    "measure",
    ["log_density", "log_prob_per_token", "naturalness", "consensus", "acceptability", "minimum_bayes_risk"],
)
@pytest.mark.parametrize("select", ["best", "last"])
def test_the_order_is_that_of_the_measure(measure: str, select: str, client: TestClient) -> None:
    answer = ask(client, rank_by=measure, select=select)
    assert answer["rank_by"] == measure
    values = [sentence[FIGURES.get(measure, measure)] for sentence in answer["sentences"]]
    assert values == sorted(values, reverse=True) and len(values) > 1


def gain(text: str, other: str) -> float:
    """BLEU of a text against another, over the units of Chinese."""
    one, reference = ([text[a:b].lower() for a, b in LANGUAGES["zh"].units(text)] for text in (text, other))
    return NGrams.of(one).bleu(NGrams.of(reference))


def test_the_utility_is_the_mean_bleu_against_the_heaviest_sentences(client: TestClient) -> None:
    answer = ask(client, sampler={"kind": "smc", "particles": 12, "beta": 6}, samples=64, rank_by="minimum_bayes_risk")
    sentences = answer["sentences"]
    assert 8 < len(sentences) < HEAVIEST and len({sentence["text"] for sentence in sentences}) == len(sentences)
    heaviest = max(sentence["log_weight"] for sentence in sentences)
    heavy = [sentence for sentence in sentences if sentence["log_weight"] >= heaviest - TOO_LIGHT]
    assert sentences[: len(heavy)] == heavy and 1 < len(heavy) < len(sentences)
    for sentence in heavy:
        expected = fmean(gain(sentence["text"], other["text"]) for other in sentences)
        assert sentence["utility"] == pytest.approx(expected)
    utilities = [sentence["utility"] for sentence in heavy]
    assert utilities == sorted(utilities, reverse=True)
    light = [sentence["log_weight"] for sentence in sentences[len(heavy) :]]
    assert light == sorted(light, reverse=True) and all(each["utility"] is None for each in sentences[len(heavy) :])


def test_of_the_last_those_drawn_by_weight_alone_are_ordered(client: TestClient) -> None:
    drawn, ordered = (
        ask(client, sampler={"kind": "smc", "particles": 12}, samples=3, select="last", rank_by=order)["sentences"]
        for order in ("log_prob_per_token", "minimum_bayes_risk")
    )
    assert {each["text"] for each in ordered} == {each["text"] for each in drawn}


def test_without_weights_it_is_the_mean_over_where_the_chains_stand(client: TestClient) -> None:
    answer = ask(client, samples=64, rank_by="minimum_bayes_risk")
    last = ask(client, samples=64, select="last")["sentences"]
    assert {each["text"] for each in answer["sentences"]} == {each["text"] for each in last}
    for sentence in answer["sentences"]:
        expected = fmean(gain(sentence["text"], other["text"]) for other in last)
        assert sentence["utility"] == pytest.approx(expected)


def test_without_a_second_opinion_nothing_is_paid_for(client: TestClient) -> None:
    ask(client, seed=91)
    plain, judged = ask(client, seed=91), ask(client, seed=91, rank_by="consensus")  # the chains' scores are recalled
    assert all(sentence["consensus"] is None for sentence in plain["sentences"])
    assert judged["usage"]["lm_tokens"] > plain["usage"]["lm_tokens"] == 0


def test_it_orders_those_of_the_greatest_density_and_leaves_the_rest(client: TestClient) -> None:
    many = {"sampler": {**FAST, "chains": 8, "steps": 60, "length_reward": 1.5}, "samples": FINALISTS + 5}
    judged = ask(client, **many, rank_by="acceptability")
    measures = [sentence["acceptability"] for sentence in judged["sentences"][:FINALISTS]]
    assert measures == sorted(measures, reverse=True)
    densities = [sentence["log_density"] for sentence in judged["sentences"]]
    assert densities[FINALISTS:] == sorted(densities[FINALISTS:], reverse=True)
    assert min(densities[:FINALISTS]) >= densities[FINALISTS] and densities[:FINALISTS] != sorted(densities[:FINALISTS])
    assert [sentence["consensus"] is None for sentence in judged["sentences"]] == [False] * FINALISTS + [True] * 5
    few = ask(client, **{**many, "samples": 1}, rank_by="acceptability")
    assert few["sentences"] == judged["sentences"][:1], "the choice is among as many, however few are asked for"


@pytest.mark.parametrize("context", ["今天早上", {"kind": "pool"}])
def test_consensus_is_the_mean_under_contexts_that_did_not_make_it(context: Any, client: TestClient) -> None:
    answer = ask(client, rank_by="consensus", context=context)
    made = answer["model"]["contexts"] or []
    others = [text for text in LANGUAGES["zh"].pool if text not in made]
    for sentence in answer["sentences"][:2]:
        means = [
            client.post("/v1/score", json={"texts": [sentence["text"]], "context": text}).json()["scores"][0][
                "log_prob_per_token"
            ]
            for text in others[: OPINIONS + 1]
        ]
        chosen = [fmean(four) for four in combinations(means, OPINIONS)]
        assert any(sentence["consensus"] == pytest.approx(mean, abs=1e-4) for mean in chosen)


def test_with_more_chains_than_contexts_its_own_is_left_out(client: TestClient) -> None:
    many = {"kind": "metropolis", "chains": len(LANGUAGES["zh"].pool), "steps": 1}
    answer = ask(client, rank_by="consensus", context={"kind": "pool"}, sampler=many, samples=40)
    pool, made = list(LANGUAGES["zh"].pool), answer["model"]["contexts"]
    assert set(made) == set(pool)
    judges = pool[: OPINIONS + 1]
    (sentence, *_) = [each for each in answer["sentences"][:FINALISTS] if made[each["chain"]] in judges]
    means = [
        client.post("/v1/score", json={"texts": [sentence["text"]], "context": text}).json()["scores"][0][
            "log_prob_per_token"
        ]
        for text in judges
        if text != made[sentence["chain"]]
    ]
    assert len(means) == OPINIONS
    assert sentence["consensus"] == pytest.approx(fmean(means), abs=1e-4)


def log_probs(client: TestClient, text: str, context: str) -> np.ndarray:
    """Of each token of a text, by the route for scores."""
    score = client.post("/v1/score", json={"texts": [text], "context": context}).json()["scores"][0]
    return np.array(score["log_probs"])


def worth(of_tokens: np.ndarray, reward: float, power: float, closing: float) -> float:
    """The objective, by its formula."""
    costs = [3.0 * (-log_prob / 3.0) ** power for log_prob in of_tokens]
    return sum(reward - cost for cost in costs) + (closing - 1) * of_tokens[-1]


def test_acceptability_is_what_annealing_searches_for_under_other_contexts(client: TestClient) -> None:
    judges = LANGUAGES["zh"].pool[:OPINIONS]
    for sentence in ask(client, rank_by="acceptability", samples=2)["sentences"]:
        mean = np.mean([log_probs(client, sentence["text"], judge) for judge in judges], axis=0)
        assert sentence["acceptability"] == pytest.approx(worth(mean, *astuple(SEARCHED)), abs=1e-3)


@pytest.mark.parametrize(
    ("sampler", "objective"),
    [
        ({"kind": "annealing"}, astuple(SEARCHED)),
        ({"kind": "annealing", "length_reward": 1.5, "surprisal_power": 2, "closing_weight": 3}, (1.5, 2.0, 3.0)),
        ({"kind": "metropolis", "length_reward": 0.5}, (0.5, 1.0, 1.0)),
        ({"kind": "smc", "particles": 24, "surprisal_power": 1.25}, (0.0, 1.25, 1.0)),
    ],
    ids=["searched", "annealing", "metropolis", "smc"],
)
def test_the_density_is_the_targets_own(
    sampler: dict[str, Any], objective: tuple[float, float, float], client: TestClient
) -> None:
    sampler = sampler if sampler["kind"] == "smc" else {"chains": 4, "steps": 10, **sampler}
    answer = ask(client, sampler=sampler, rank_by="log_density", context="今天")
    assert len(answer["sentences"]) > 1
    for sentence in answer["sentences"]:
        of_tokens = log_probs(client, sentence["text"], "今天")
        assert sentence["log_density"] == pytest.approx(worth(of_tokens, *objective), abs=2e-3)


def test_the_best_of_a_search_is_that_of_the_greatest_density(client: TestClient) -> None:
    searched = ask(client, sampler={"chains": 4, "steps": 10})
    assert searched["rank_by"] == "log_density"
    assert ask(client, sampler={"chains": 4, "steps": 10}, select="last")["rank_by"] == "log_prob_per_token"


def test_naturalness_is_told_by_log_probs_after_other_sentences_and_alone(client: TestClient) -> None:
    language = LANGUAGES["zh"]
    assert language.naturalness is not None
    for sentence in ask(client, rank_by="naturalness", context="今天早上", samples=3)["sentences"]:
        after, alone = (np.array(log_probs(client, sentence["text"], context)) for context in (language.opening, ""))
        odds = language.naturalness.log_odds(features_of(sentence["text"], after, alone, language))
        assert sentence["naturalness"] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-3)


def test_sentences_of_the_model_that_readers_marked_are_ordered_by_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem, "DEFAULT_MODEL", ask(client)["model"]["name"])
    searched = ask(client, sampler={"chains": 4, "steps": 10})
    assert searched["rank_by"] == "naturalness"
    assert all(0 < sentence["naturalness"] < 1 for sentence in searched["sentences"])
    assert ask(client, sampler={"chains": 4, "steps": 10}, select="last")["rank_by"] == "log_prob_per_token"


def test_naturalness_is_refused_where_nobody_has_marked_any(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(LANGUAGES["zh"]), "naturalness", None)
    body = {"keywords": ["今天"], "sampler": FAST, "seed": 3}
    response = client.post("/v1/sentences", json={**body, "rank_by": "naturalness"})
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert (fault["field"], fault["code"]) == ("rank_by", "unknown-value") and "another order" in fault["remedy"]
    assert ask(client)["sentences"]


def test_a_seed_gives_the_same_order(client: TestClient) -> None:
    body = {"context": {"kind": "pool"}, "rank_by": "acceptability", "allow_copies": False, "once": True}
    assert ask(client, **body)["sentences"] == ask(client, **body)["sentences"]
