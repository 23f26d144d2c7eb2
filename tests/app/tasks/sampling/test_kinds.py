"""Kinds of sampler beside annealing and metropolis, through the service."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

KINDS: dict[str, dict[str, Any]] = {
    "rejection": {"kind": "rejection", "draws": 400},
    "importance": {"kind": "importance", "particles": 24},
    "smc": {"kind": "smc", "particles": 24},
}
ANY = list("天的了是有和去来看人水花")
"""Forms of one keyword, so that draws of a model of random weights hold one now and then."""
every_kind = pytest.mark.parametrize("kind", KINDS)


def ask(client: TestClient, kind: str, **body: Any) -> dict[str, Any]:
    sampler = KINDS[kind] | body.pop("options", {})
    response = client.post("/v1/sentences", json={"keywords": [ANY], "seed": 3, "sampler": sampler, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    answer["diagnostics"].pop("seconds")
    return answer


@every_kind
@pytest.mark.parametrize("select", ["best", "last"])
def test_sentences_hold_what_is_asked_and_repeat_by_their_seed(client: TestClient, kind: str, select: str) -> None:
    body = {"samples": 5, "select": select, "length": {"max": 12}, "forbidden": ["我"]}
    answer = ask(client, kind, **body)
    assert 1 <= len(answer["sentences"]) <= 5
    for sentence in answer["sentences"]:
        assert set(ANY) & set(sentence["text"]) and "我" not in sentence["text"] and len(sentence["text"]) <= 12
        assert (sentence["log_weight"] is None) == (kind == "rejection")
    order = [sentence["log_prob_per_token"] for sentence in answer["sentences"]]
    assert order == sorted(order, reverse=True)
    again = ask(client, kind, **body)
    assert again["sentences"] == answer["sentences"] and again["diagnostics"] == answer["diagnostics"]
    assert ask(client, kind, **body | {"seed": 4})["sentences"] != answer["sentences"]


@every_kind
def test_scores_are_those_of_the_score_route(client: TestClient, kind: str) -> None:
    (sentence,) = ask(client, kind)["sentences"]
    scored = client.post("/v1/score", json={"texts": [sentence["text"]]}).json()["scores"][0]
    assert "".join(sentence["tokens"]).strip() == sentence["text"]
    if scored["tokens"] == sentence["tokens"]:
        assert scored["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-4)


def test_rejection_answers_with_what_it_has_at_the_cap(client: TestClient) -> None:
    answer = ask(client, "rejection", samples=100, options={"draws": 70})
    draws = answer["diagnostics"]["draws"]
    assert draws["drawn"] == answer["diagnostics"]["steps"] == 70
    assert draws["kept"] < 70 and draws["ess"] is None and draws["log_z"] is None
    assert all(1 <= sentence["step"] <= 70 for sentence in answer["sentences"])
    hopeless = ask(client, "rejection", keywords=["散步", "音乐", "电影", "手机"], options={"draws": 33})
    assert hopeless["sentences"] == [] and hopeless["diagnostics"]["draws"]["kept"] == 0


def test_smc_tells_z_and_effective_size(client: TestClient) -> None:
    keywords = ["今天", "公园", ["散步", "吃饭"]]
    answers = [ask(client, "smc", keywords=keywords, options={"particles": 100}, seed=seed) for seed in (1, 2)]
    one, other = (answer["diagnostics"]["draws"] for answer in answers)
    assert answers[0]["diagnostics"]["steps"] == 4 and one["drawn"] == 100 and 1 < one["ess"] <= one["kept"]
    assert one["resampled"] >= 1
    assert abs(one["log_z"] - other["log_z"]) < 1.5, "two estimates of one sum"
    assert one["ceiling"] is None
    plain = ask(client, "importance", keywords=keywords, options={"particles": 100})["diagnostics"]["draws"]
    assert plain["resampled"] == 0 and abs(plain["log_z"] - one["log_z"]) < 2.5


@every_kind
def test_the_stream_ends_with_the_plain_answer(client: TestClient, kind: str) -> None:
    body = {"keywords": [ANY], "seed": 3, "sampler": KINDS[kind], "samples": 2}
    with client.stream("POST", "/v1/sentences", json=body | {"stream": True}) as response:
        lines = [line for line in response.iter_lines() if line and not line.startswith(":")]
    events = [(name[7:], json.loads(data[6:])) for name, data in pairwise(lines) if name.startswith("event: ")]
    assert events[-1][0] == "done" and {name for name, _ in events} == {"sentence", "step", "done"}
    steps = [data for name, data in events if name == "step"]
    assert steps[0]["step"] == 0 and all(step["step"] <= step["steps"] for step in steps)
    done = events[-1][1]
    done["diagnostics"].pop("seconds")
    plain = ask(client, kind, samples=2)
    assert done["sentences"] == plain["sentences"] and done["diagnostics"] == plain["diagnostics"]


def test_tempering_exchanges_and_gives_what_stands_at_the_first_beta(client: TestClient) -> None:
    sampler = {"kind": "tempering", "chains": 6, "ladder": [1.0, 0.6, 0.3], "steps": 40, "exchange_every": 4}
    body = {"keywords": ["今天", "公园"], "seed": 3, "sampler": sampler, "select": "last", "samples": 6}
    answer = client.post("/v1/sentences", json=body).json()
    exchanges = {k: v for k, v in answer["diagnostics"]["acceptance"].items() if k.startswith("exchange")}
    assert set(exchanges) == {"exchange 1|0.6", "exchange 0.6|0.3"}
    assert all(move["tried"] == 2 * 2 * 5 and move["moved"] for move in exchanges.values())
    assert {sentence["chain"] for sentence in answer["sentences"]} <= {0, 3}
    assert answer["diagnostics"]["draws"] is None
    again = client.post("/v1/sentences", json=body).json()
    assert again["sentences"] == answer["sentences"]


def test_a_ladder_has_one_context_and_draws_have_one_for_all(client: TestClient) -> None:
    """What is exchanged must be scored under one context; draws are not dealt any."""
    ladder = {"kind": "tempering", "chains": 4, "ladder": [1.0, 0.5], "steps": 6, "exchange_every": 2}
    body = {"keywords": ["今天"], "context": {"kind": "pool"}, "seed": 3, "rank_by": "consensus", "samples": 3}
    contexts = client.post("/v1/sentences", json=body | {"sampler": ladder}).json()["model"]["contexts"]
    assert contexts[0] == contexts[1] != contexts[2] == contexts[3]
    answer = client.post("/v1/sentences", json=body | {"sampler": KINDS["smc"]}).json()
    assert answer["model"]["contexts"] is None and answer["model"]["context"]
    assert answer["sentences"][0]["consensus"] is not None


def renewing(**options: Any) -> dict[str, Any]:
    return {"kind": "particle_gibbs", "chains": 6, "steps": 20, **options}


@pytest.mark.parametrize("proposals", ["context", "examples"])
def test_particle_gibbs_renews_chains_together(client: TestClient, proposals: str) -> None:
    body = {"keywords": ["今天", ["公园", "学校"]], "seed": 3, "select": "last", "samples": 6, "length": {"max": 12}}
    body |= {"sampler": renewing(), "proposals": proposals, "context": {"kind": "pool"}, "trace": "edits"}
    answer = client.post("/v1/sentences", json=body).json()
    populations = answer["diagnostics"]["acceptance"]["conditional_smc"]
    assert populations["tried"] == populations["proposed"] == 6 * 4 and populations["moved"] > 8
    assert answer["model"]["contexts"] is None, "chains that share a population share a law"
    assert answer["diagnostics"]["reason"] is None and answer["diagnostics"]["rhat"]
    for sentence in answer["sentences"]:
        assert "今天" in sentence["text"] and {"公", "学"} & set(sentence["text"]) and len(sentence["text"]) <= 12
    assert client.post("/v1/sentences", json=body).json()["sentences"] == answer["sentences"]


@pytest.mark.parametrize("beta", [0, 1.5, 60, 1000])
def test_particle_gibbs_at_any_beta(client: TestClient, beta: float) -> None:
    """At a high beta the probability of what stands may round to 0, and then nothing is renewed."""
    body = {"keywords": ["今天", "公园"], "seed": 3, "length": {"max": 16}, "sampler": renewing(beta=beta)}
    answer = client.post("/v1/sentences", json=body).json()
    assert answer["diagnostics"]["acceptance"]["conditional_smc"]["tried"] == 24


def test_particle_gibbs_says_where_it_does_not_apply(client: TestClient) -> None:
    body = {"keywords": ["公园"], "pattern": ".*公园.*", "sampler": renewing()}
    reply = client.post("/v1/sentences", json=body)
    assert reply.status_code == 422
    (fault,) = reply.json()["errors"]
    assert fault["field"] == "sampler.kind" and "metropolis" in fault["remedy"]
    del body["pattern"]
    assert client.post("/v1/sentences", json=body).status_code == 200


def test_gibbs_replaces_more_often_than_metropolis(client: TestClient) -> None:
    def moved(kind: str, **options: Any) -> float:
        sampler = {"kind": kind, "chains": 4, "steps": 40, "moves": {"swap": 0, "reform": 0}, **options}
        response = client.post("/v1/sentences", json={"keywords": ["今天", "公园"], "seed": 3, "sampler": sampler})
        assert response.status_code == 200, response.text
        rate: float = response.json()["diagnostics"]["acceptance"]["replace"]["acceptance"]
        return rate

    assert moved("gibbs", candidates=8) > 1.2 * moved("metropolis", delayed=False)


@pytest.mark.parametrize(
    ("sampler", "field"),
    [
        ({"kind": "rejection", "draws": 10**6}, "sampler.draws"),
        ({"kind": "rejection", "chains": 2}, "sampler.chains"),
        ({"kind": "rejection", "length_reward": 1.0}, "sampler.length_reward"),
        ({"kind": "importance", "threshold": 0.5}, "sampler.threshold"),
        ({"kind": "smc", "particles": 5000}, "sampler.particles"),
        ({"kind": "smc", "threshold": 2}, "sampler.threshold"),
        ({"kind": "tempering", "chains": 6}, "sampler.chains"),
        ({"kind": "tempering", "ladder": [1.0]}, "sampler.ladder"),
        ({"kind": "tempering", "exchange_every": 0}, "sampler.exchange_every"),
        ({"kind": "particle_gibbs", "particles": 32}, "sampler.particles"),
        ({"kind": "particle_gibbs", "renew_every": 0}, "sampler.renew_every"),
        ({"kind": "gibbs", "delayed": True}, "sampler.delayed"),
        ({"kind": "gibbs", "moves": {"replace": 0}}, "sampler.moves.replace"),
    ],
)
def test_what_a_kind_has_not_is_refused(client: TestClient, sampler: dict[str, Any], field: str) -> None:
    response = client.post("/v1/sentences", json={"keywords": ["天"], "sampler": sampler})
    assert response.status_code == 422 and [error["field"] for error in response.json()["errors"]] == [field]
