"""Second opinions: contexts that did not make a sentence, and what the target itself says of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.sampling.choice import FINALISTS, OPINIONS
from app.tasks.sampling.kernels import CLOSING_WEIGHT

FAST = {"kind": "metropolis", "chains": 4, "steps": 20}


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    body = {"keywords": ["今天", "公园"], "sampler": FAST, "seed": 3, "samples": 5, **body}
    response = client.post("/v1/sentences", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("measure", ["log_density", "log_prob_per_token", "consensus", "acceptability"])
@pytest.mark.parametrize("select", ["best", "last"])
def test_the_order_is_that_of_the_measure(measure: str, select: str, client: TestClient) -> None:
    answer = ask(client, rank_by=measure, select=select)
    assert answer["rank_by"] == measure
    values = [sentence[measure] for sentence in answer["sentences"]]
    assert values == sorted(values, reverse=True) and len(values) > 1


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


def closings(client: TestClient, text: str, contexts: Sequence[str]) -> list[tuple[float, float]]:
    """log p of a text, and of its closing token, under each context."""
    found = []
    for context in contexts:
        body = {"texts": [text], "context": context}
        score = client.post("/v1/score", json=body).json()["scores"][0]
        found.append((score["log_prob"], score["log_probs"][-1]))
    return found


def test_acceptability_counts_the_closing_token_several_times(client: TestClient) -> None:
    judges = LANGUAGES["zh"].pool[:OPINIONS]
    for sentence in ask(client, rank_by="acceptability", samples=2)["sentences"]:
        scores = closings(client, sentence["text"], judges)
        mean = fmean(whole + (CLOSING_WEIGHT - 1) * closing for whole, closing in scores)
        assert sentence["acceptability"] == pytest.approx(mean, abs=1e-3)


@pytest.mark.parametrize("sampler", [{"kind": "annealing"}, {"kind": "metropolis", "length_reward": 0.5}])
def test_the_density_is_the_targets_own(sampler: dict[str, Any], client: TestClient) -> None:
    sampler = {"chains": 4, "steps": 10, **sampler}
    answer = ask(client, sampler=sampler, rank_by="log_density", context="今天")
    assert len(answer["sentences"]) > 1
    weight = CLOSING_WEIGHT if sampler["kind"] == "annealing" else 1.0
    for sentence in answer["sentences"]:
        ((whole, closing),) = closings(client, sentence["text"], ["今天"])
        reward = sampler.get("length_reward", 0.0) * len(sentence["tokens"])
        assert sentence["log_density"] == pytest.approx(whole + reward + (weight - 1) * closing, abs=1e-3)


def test_the_best_of_a_search_is_that_of_the_greatest_density(client: TestClient) -> None:
    searched = ask(client, sampler={"chains": 4, "steps": 10})
    assert searched["rank_by"] == "log_density"
    assert ask(client, sampler={"chains": 4, "steps": 10}, select="last")["rank_by"] == "log_prob_per_token"


def test_a_seed_gives_the_same_order(client: TestClient) -> None:
    body = {"context": {"kind": "pool"}, "rank_by": "acceptability", "allow_copies": False, "once": True}
    assert ask(client, **body)["sentences"] == ask(client, **body)["sentences"]
