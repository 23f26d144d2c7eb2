"""Texts in other words through the service: what is kept stays, and each text is answered by itself."""

from __future__ import annotations

import json
from statistics import fmean
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.paraphrases import potentials
from app.tasks.paraphrases.kept import negations, numbers
from app.tasks.paraphrases.schemas import ParaphrasesAnswer
from models.similarity.encoder import installed
from samplers.bleu import NGrams

FAST = {"chains": 2, "steps": 8, "particles": 8}
TEXTS = ["今天我们去公园散步。", "The dog runs in the park.", "老师不喜欢音乐"]


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/paraphrases", json={"seed": 3, "sampler": FAST, "similarity": "model", **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def test_each_text_has_paraphrases_that_are_other_texts(client: TestClient) -> None:
    answer = ask(client, texts=TEXTS, samples=3)
    assert ParaphrasesAnswer.model_validate(answer) and answer["measure"] == "language model"
    assert [one["source"] for one in answer["paraphrases"]] == TEXTS
    assert [one["language"] for one in answer["paraphrases"]] == ["zh", "en", "zh"]
    for one in answer["paraphrases"]:
        assert 1 <= len(one["texts"]) <= 3
        densities = [each["log_density"] for each in one["texts"]]
        assert densities == sorted(densities, reverse=True)
        for each in one["texts"]:
            assert letters(each["text"]) != letters(one["source"])
            assert 0 <= each["overlap"] <= 1 and each["log_prob"] < 0
            # The closing mark is that of the text, or none.
            assert (each["text"][-1] in "。.！？!?") == (one["source"][-1] in "。.")
            assert len(negations(each["text"])) == len(negations(one["source"]))
    assert answer["usage"]["lm_tokens"] == sum(one["usage"]["lm_tokens"] for one in answer["paraphrases"])


def test_what_is_to_be_kept_stays(client: TestClient) -> None:
    answer = ask(client, texts=TEXTS[:2], keep=["公园", "dog"], samples=5)
    for one, word in zip(answer["paraphrases"], ["公园", "dog"], strict=True):
        assert any(word in kept for kept in one["kept"])
        assert all(word in each["text"] for each in one["texts"])
        assert all(numbers(each["text"]) == numbers(one["source"]) for each in one["texts"])


def test_a_text_runs_as_it_would_alone_and_its_seed_is_the_next(client: TestClient) -> None:
    both = ask(client, texts=TEXTS[:2])["paraphrases"]
    first, second = (ask(client, texts=[text], seed=3 + n)["paraphrases"][0] for n, text in enumerate(TEXTS[:2]))
    assert [both[0]["texts"], both[1]["texts"]] == [first["texts"], second["texts"]]
    assert [one["seed"] for one in both] == [3, 4]


@pytest.mark.parametrize("strength", ["light", "medium", "strong"])
def test_the_density_is_the_log_prob_with_what_similarity_and_overlap_cost(client: TestClient, strength: str) -> None:
    sampler = {"kind": "metropolis", "chains": 4, "steps": 20}
    body = {"texts": TEXTS[:1], "keep": ["天我们去公园散步"]}
    (one,) = ask(client, **body, strength=strength, sampler=sampler, samples=50)["paraphrases"]
    allowed = {"light": 0.7, "medium": 0.5, "strong": 0.3}[strength]
    assert max(each["overlap"] for each in one["texts"]) > allowed
    for each in one["texts"]:
        expected = each["log_prob"] + potentials.INFORMATION_WEIGHT * (min(each["similarity"], 1) - 1)
        expected -= potentials.OVERLAP_WEIGHT * max(0, each["overlap"] - allowed)
        assert each["log_density"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("strength", ["light", "medium", "strong"])
def test_the_first_of_weighted_ones_is_most_like_the_others(client: TestClient, strength: str) -> None:
    body = {"texts": TEXTS[:1], "keep": ["天我们去公园散步"], "similarity": "model", "strength": strength}
    body |= {"sampler": {"kind": "smc", "particles": 200}, "samples": 100, "seed": 3}
    (one,) = client.post("/v1/paraphrases", json=body).json()["paraphrases"]
    assert one["rank_by"] == "minimum_bayes_risk" and len(one["texts"]) > 4
    units = LANGUAGES["zh"].units
    counted = [NGrams.of([each["text"][a:b] for a, b in units(each["text"])]) for each in one["texts"]]
    for each, own in zip(one["texts"], counted, strict=True):
        if each["utility"] is None:
            continue
        common = fmean(own.bleu(other) for other in counted)
        assert each["utility"] == pytest.approx(common - potentials.COSTS[strength] * each["overlap"], abs=1e-6)
    utilities = [each["utility"] for each in one["texts"] if each["utility"] is not None]
    assert utilities == sorted(utilities, reverse=True) and len(utilities) > 2


def test_samples_of_the_law_stay_samples(client: TestClient) -> None:
    body = {"texts": TEXTS[:1], "keep": ["天我们去公园散步"], "sampler": {"kind": "smc", "particles": 200}}
    (one,) = ask(client, **body, select="last")["paraphrases"]
    assert one["rank_by"] == "log_prob_per_token" and one["texts"]


def test_a_text_of_which_no_particle_comes_through_is_searched_for(client: TestClient) -> None:
    body = {"texts": TEXTS[1:2], "similarity": "model", "seed": 3}
    drawn, default = (
        client.post("/v1/paraphrases", json=each).json()["paraphrases"][0]
        for each in ({**body, "sampler": {"kind": "smc", "particles": 64, "beta": 1.2}}, body)
    )
    assert not drawn["texts"] and default["texts"] and default["rank_by"] == "log_density"


@pytest.mark.parametrize("kind", ["metropolis", "tempering", "gibbs", "smc", "importance", "particle_gibbs"])
def test_every_sampler_paraphrases(client: TestClient, kind: str) -> None:
    sampler = {"kind": kind, **({"chains": 4, "steps": 6} if kind not in ("smc", "importance") else {})}
    answer = ask(client, texts=TEXTS[:1], sampler=sampler, select="last", samples=2)
    assert all(letters(each["text"]) != letters(TEXTS[0]) for each in answer["paraphrases"][0]["texts"])


def test_the_stream_ends_with_the_plain_answer(client: TestClient) -> None:
    body = {"texts": TEXTS[:2], "seed": 3, "sampler": FAST, "similarity": "model", "trace": "edits"}
    lines = client.post("/v1/paraphrases", json=body | {"stream": True}).text.splitlines()
    events = [(a[7:], json.loads(b[6:])) for a, b in zip(lines, lines[1:], strict=False) if a.startswith("event: ")]
    assert {name for name, _ in events} == {"paraphrase", "trace", "step", "text", "done"}
    assert {data["number"] for name, data in events if name != "done"} == {0, 1}
    done, plain = events[-1][1], ask(client, texts=TEXTS[:2], trace="edits")
    for streamed, asked in zip(done["paraphrases"], plain["paraphrases"], strict=True):
        assert streamed["texts"] == asked["texts"] and streamed["trace"] == asked["trace"]
    finished = {data["number"]: data["data"] for name, data in events if name == "text"}
    assert [finished[0], finished[1]] == done["paraphrases"]


def test_a_dry_run_tells_the_plans(client: TestClient) -> None:
    plans = ask(client, texts=TEXTS, keep=["公园"], dry_run=True)["plans"]
    assert [plan["language"] for plan in plans] == ["zh", "en", "zh"]
    assert (
        plans[0]["keywords"] and "换句话说" in plans[0]["contexts"][0] and "In other words" in plans[1]["contexts"][0]
    )


def test_english_is_drawn_and_chinese_searched_for_unless_told_otherwise(client: TestClient) -> None:
    body = {"texts": TEXTS, "similarity": "model", "dry_run": True}
    plans = client.post("/v1/paraphrases", json=body).json()["plans"]
    assert [plan["sampler"]["kind"] for plan in plans] == ["annealing", "smc", "annealing"]
    given = client.post("/v1/paraphrases", json={**body, "sampler": {"kind": "smc", "particles": 9}}).json()["plans"]
    assert [plan["sampler"]["particles"] for plan in given] == [9, 9, 9]


def test_a_context_of_the_callers_own_with_proposals_that_know_the_text(client: TestClient) -> None:
    given = ask(client, texts=TEXTS[:1], context="今天天气很好。", proposals="examples")["paraphrases"][0]
    assert given["model"]["context"] == "今天天气很好。" and TEXTS[0] in given["model"]["proposals"]


def test_items_of_jobs_take_it(client: TestClient) -> None:
    bodies = [{"texts": TEXTS[:2], "seed": 3, "sampler": FAST, "similarity": "model"}, {"texts": [""]}]
    refused = client.post("/v1/jobs", json={"url": "/v1/paraphrases", "bodies": bodies}).json()["errors"]
    assert refused[0]["field"] == "bodies[1].texts[0]" and refused[0]["code"] == "blank"
    job = client.post("/v1/jobs", json={"url": "/v1/paraphrases", "bodies": bodies[:1]}).json()["id"]
    while client.get(f"/v1/jobs/{job}").json()["status"] not in ("completed", "failed"):
        pass
    (line,) = client.get(f"/v1/jobs/{job}/results").text.splitlines()
    done = json.loads(line)["response"]["body"]["paraphrases"]
    assert [one["texts"] for one in done] == [one["texts"] for one in ask(client, texts=TEXTS[:2])["paraphrases"]]


@pytest.mark.skipif(not installed(), reason="the extra `similarity` is not installed")
def test_an_encoder_measures_where_one_is_installed(client: TestClient) -> None:
    answer = ask(client, texts=TEXTS[1:2], similarity="auto")
    assert "multilingual-e5-small" in answer["measure"]
    assert 0.5 < answer["paraphrases"][0]["texts"][0]["similarity"] < 1


def test_without_an_encoder_the_model_measures(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(potentials, "installed", lambda: False)
    assert ask(client, texts=TEXTS[1:2], similarity="auto")["measure"] == "language model"
    refused = client.post("/v1/paraphrases", json={"texts": TEXTS[1:2], "similarity": "encoder"})
    assert refused.status_code == 422 and "similarity" in refused.json()["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "texts", "missing"),
        ({"texts": []}, "texts", "missing"),
        ({"texts": "今天。"}, "texts", "wrong-type"),
        ({"texts": [""]}, "texts[0]", "blank"),
        ({"texts": ["今天。", " \n"]}, "texts[1]", "blank"),
        ({"texts": ["?"]}, "texts[0]", "too-short"),
        ({"texts": ["今天。", "\U000e0036……。"]}, "texts[1]", "too-short"),
        ({"texts": ["公" * 10_000]}, "texts[0]", "too-long"),
        ({"texts": ["公园。" * 500] * 20}, "texts", "too-long"),
        ({"texts": ["今天。"] * 1001}, "texts", "too-many"),
        ({"texts": ["今天\u0007。"]}, "texts[0]", "control-character"),
        ({"texts": ["今天我去公园😀。"]}, "texts[0]", "unspellable"),
        ({"texts": ["今天。"], "keep": ["公园"]}, "keep[0]", "not-found"),
        ({"texts": ["The party."], "keep": ["art"]}, "keep[0]", "not-found"),
        ({"texts": ["今天。"], "keep": [" "]}, "keep[0]", "blank"),
        ({"texts": ["今天。"], "strength": "strongest"}, "strength", "unknown-value"),
        ({"texts": ["今天。"], "change": ["verbs"]}, "change[0]", "unknown-value"),
        ({"texts": ["今天。"], "similarity": "bleu"}, "similarity", "unknown-value"),
        ({"texts": ["今天。"], "length": {"min": 5, "max": 3}}, "length.max", "contradictory"),
        ({"texts": ["今天。"], "length": {"max": 10**6}}, "length.max", "too-large"),
        ({"texts": ["今天。"], "context": {"kind": "instruction"}}, "context.kind", "unknown-value"),
        ({"texts": ["今天。"], "proposals": "instruction"}, "proposals", "unknown-value"),
        ({"texts": ["今天。"], "keywords": ["公园"]}, "keywords", "unknown-field"),
    ],
    ids=str,
)
def test_bad_input_is_told_by_field_code_and_remedy(
    client: TestClient, body: dict[str, Any], field: str, code: str
) -> None:
    response = client.post("/v1/paraphrases", json=body)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    (fault,) = response.json()["errors"]
    assert (fault["field"], fault["code"]) == (field, code), fault
    assert fault["message"] and fault["remedy"]
