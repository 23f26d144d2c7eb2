"""Every bad request is a 4xx problem that names the field and the remedy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.web.codes import Code

OK = ["今天", "公园"]


def metropolis(**options: Any) -> dict[str, Any]:
    return {"kind": "metropolis", **options}


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no keywords": ({"keywords": []}, "keywords", "missing"),
    "keywords left out": ({}, "keywords", "missing"),
    "keywords a string": ({"keywords": "今天"}, "keywords", "wrong-type"),
    "1000 keywords": ({"keywords": [f"w{i}" for i in range(1000)]}, "keywords", "too-many"),
    "10000 characters": ({"keywords": ["a" * 10_000]}, "keywords[0]", "too-long"),
    "blank": ({"keywords": ["今天", "  "]}, "keywords[1]", "blank"),
    "blank form": ({"keywords": ["dog", ["run", ""]]}, "keywords[1][1]", "blank"),
    "no forms": ({"keywords": ["dog", []]}, "keywords[1]", "too-few"),
    "a number": ({"keywords": ["dog", 5]}, "keywords[1]", "wrong-type"),
    "control character": ({"keywords": ["do\u0007g"]}, "keywords[0]", "control-character"),
    "lone surrogate": ({"keywords": ["do\ud800g"]}, "keywords[0]", "not-unicode"),
    "punctuation": ({"keywords": ["，"]}, "keywords[0]", "malformed"),
    "emoji": ({"keywords": ["今天", "公园😀"]}, "keywords[1]", "unspellable"),
    "thai": ({"keywords": ["สวัสดี"]}, "keywords[0]", "unspellable"),
    "unspellable form": ({"keywords": [["dog", "dög"]]}, "keywords[0][1]", "unspellable"),
    "chinese in english": ({"keywords": ["今天"], "language": "en"}, "keywords[0]", "unspellable"),
    "white space in chinese": ({"keywords": ["今天 公园"]}, "keywords[0]", "unspellable"),
    "twice": ({"keywords": ["今天", "公园", "今天"]}, "keywords[2]", "duplicate"),
    "also forbidden": ({"keywords": OK, "forbidden": ["公园"]}, "keywords[1]", "forbidden-keyword"),
    "contains forbidden": ({"keywords": OK, "forbidden": ["园"]}, "keywords[1]", "forbidden-keyword"),
    "forbidden in another case": ({"keywords": ["dog"], "forbidden": ["Dog"]}, "keywords[0]", "forbidden-keyword"),
    "phrase contains forbidden": ({"keywords": ["big dog"], "forbidden": ["dog"]}, "keywords[0]", "forbidden-keyword"),
    "every closing mark forbidden": ({"keywords": OK, "forbidden": list("。！？")}, "forbidden", "contradictory"),
    "no room to open with a capital": (
        {"keywords": ["dog", "big cat"], "length": {"max": 3}, "allow_repeats": True},
        "length.max",
        "infeasible",
    ),
    "no room beside a keyword that closes": (
        {"keywords": ["散步。"], "length": {"max": 4}},
        "length.max",
        "infeasible",
    ),
    "min above max": ({"keywords": OK, "length": {"min": 20, "max": 10}}, "length.min", "contradictory"),
    "max too small": ({"keywords": OK, "length": {"max": 4}}, "length.max", "too-small"),
    "max too small in words": ({"keywords": ["dog", "big cat"], "length": {"max": 2}}, "length.max", "too-small"),
    "max too small in tokens": ({"keywords": OK, "length": {"max": 2, "unit": "tokens"}}, "length.max", "too-small"),
    "max above the limit": ({"keywords": OK, "length": {"max": 10**9}}, "length.max", "too-large"),
    "max zero": ({"keywords": OK, "length": {"max": 0}}, "length.max", "too-small"),
    "unknown unit": ({"keywords": OK, "length": {"unit": "bytes"}}, "length.unit", "unknown-value"),
    "unknown sampler": ({"keywords": OK, "sampler": {"kind": "slice"}}, "sampler.kind", "unknown-value"),
    "kind null": ({"keywords": OK, "sampler": {"kind": None}}, "sampler.kind", "unknown-value"),
    "kind a list": ({"keywords": OK, "sampler": {"kind": ["annealing"]}}, "sampler.kind", "unknown-value"),
    "beta without kind": ({"keywords": OK, "sampler": {"beta": 2}}, "sampler.beta", "unknown-field"),
    "betas without kind": (
        {"keywords": OK, "sampler": {"schedule": {"betas": [1]}}},
        "sampler.schedule.betas",
        "unknown-field",
    ),
    "sampler a string": ({"keywords": OK, "sampler": '{"chains": 2}'}, "sampler", "wrong-type"),
    "negative beta": ({"keywords": OK, "sampler": metropolis(beta=-1.0)}, "sampler.beta", "too-small"),
    "negative steps": ({"keywords": OK, "sampler": metropolis(steps=-1)}, "sampler.steps", "too-small"),
    "steps above the limit": ({"keywords": OK, "sampler": metropolis(steps=10**6)}, "sampler.steps", "too-large"),
    "no chains": ({"keywords": OK, "sampler": metropolis(chains=0)}, "sampler.chains", "too-small"),
    "chains above the limit": ({"keywords": OK, "sampler": metropolis(chains=65)}, "sampler.chains", "too-large"),
    "quoted number": ({"keywords": OK, "sampler": metropolis(chains="8")}, "sampler.chains", "wrong-type"),
    "insert without delete": (
        {"keywords": OK, "sampler": metropolis(moves={"delete": 0})},
        "sampler.moves.delete",
        "contradictory",
    ),
    "negative weight": ({"keywords": OK, "sampler": metropolis(moves={"swap": -1})}, "sampler.moves.swap", "too-small"),
    "no weight": (
        {
            "keywords": OK,
            "sampler": metropolis(moves=dict.fromkeys(("replace", "insert", "delete", "swap", "reform"), 0)),
        },
        "sampler.moves",
        "contradictory",
    ),
    "only a move that cannot apply": (
        {"keywords": OK, "sampler": metropolis(moves={"replace": 0, "insert": 0, "delete": 0, "swap": 0})},
        "sampler.moves",
        "contradictory",
    ),
    "unknown schedule": (
        {"keywords": OK, "sampler": {"kind": "annealing", "schedule": {"kind": "cosine"}}},
        "sampler.schedule.kind",
        "unknown-value",
    ),
    "no betas": (
        {"keywords": OK, "sampler": {"kind": "annealing", "schedule": {"kind": "listed", "betas": []}}},
        "sampler.schedule.betas",
        "too-few",
    ),
    "geometric from zero": (
        {"keywords": OK, "sampler": {"kind": "annealing", "schedule": {"kind": "geometric", "start": 0.0}}},
        "sampler.schedule.start",
        "too-small",
    ),
    "no samples": ({"keywords": OK, "samples": 0}, "samples", "too-small"),
    "samples above the limit": ({"keywords": OK, "samples": 101}, "samples", "too-large"),
    "negative seed": ({"keywords": OK, "seed": -1}, "seed", "too-small"),
    "seed too large": ({"keywords": OK, "seed": 2**63}, "seed", "too-large"),
    "long context": ({"keywords": OK, "context": "今" * 8001}, "context", "too-long"),
    "context beyond the model": ({"keywords": OK, "context": "今天花" * 600}, "context", "too-long"),
    "unknown field": ({"keywords": OK, "keyword": 1}, "keyword", "unknown-field"),
    "unknown language": ({"keywords": OK, "language": "fr"}, "language", "unknown-value"),
}


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status and problem["type"] and problem["title"] and problem["detail"]
    assert problem["errors"] and all(fault["message"] and fault["remedy"] for fault in problem["errors"])
    assert {fault["code"] for fault in problem["errors"]} <= set(Code)
    return problem


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_bad_request_names_field_and_remedy(client: TestClient, name: str, stream: bool) -> None:
    body, field, code = BAD[name]
    response = client.post(
        "/v1/sentences", content=json.dumps({**body, "stream": stream}), headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(response, 422)
    assert (field, code) in [(fault["field"], fault["code"]) for fault in problem["errors"]]
    assert "see /docs" not in problem["errors"][0]["remedy"] or name in ("unknown field",)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_beta_must_be_finite(client: TestClient, number: str) -> None:
    body = '{"keywords": ["今天"], "sampler": {"kind": "metropolis", "beta": NUMBER}}'.replace("NUMBER", number)
    response = client.post("/v1/sentences", content=body, headers={"Content-Type": "application/json"})
    (fault,) = assert_problem(response, 422)["errors"]
    assert fault["field"] == "sampler.beta" and "finite" in fault["remedy"]


@pytest.mark.parametrize("body", ['{"keywords": ["a",}', "", "{", '{"keywords": [1'])
def test_wrong_json_names_the_offset(client: TestClient, body: str) -> None:
    response = client.post("/v1/sentences", content=body or " ", headers={"Content-Type": "application/json"})
    assert "offset" in assert_problem(response, 400)["detail"]


@pytest.mark.parametrize("body", [b'{"keywords": ["\xff"]}', b"[" * 100_000])
def test_unreadable_json(client: TestClient, body: bytes) -> None:
    assert_problem(client.post("/v1/sentences", content=body, headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.parametrize("path", ["/v1/sentences", "/v1/score"])
def test_wrong_content_type(client: TestClient, path: str, kind: str | None) -> None:
    response = client.post(path, content=b'{"keywords": ["dog"]}', headers={"Content-Type": kind} if kind else {})
    assert assert_problem(response, 415)["errors"][0]["field"] == "Content-Type"


@pytest.mark.parametrize("declared", [True, False])
def test_body_too_large(client: TestClient, declared: bool) -> None:
    content = b" " * (1 << 20) + b"{}"
    chunks = (content[i : i + 65536] for i in range(0, len(content), 65536))
    headers = {"Content-Type": "application/json"}
    assert_problem(client.post("/v1/sentences", content=content if declared else chunks, headers=headers), 413)


def test_unknown_path_and_method(client: TestClient) -> None:
    assert_problem(client.get("/v1/nothing"), 404)
    response = client.get("/v1/sentences")
    assert_problem(response, 405)
    assert response.headers["allow"] == "POST"


def test_infeasible_request_shows_the_closest(client: TestClient) -> None:
    # None begins with a capital, and nothing but commas may stand between: too many sentences to try them all before.
    words = ["dog", "cat", "park", "house", "man", "walk", "red", "happy", "eat", "food", "water", "tree"]
    body = {"keywords": words, "ordered": True, "length": {"max": len(words)}, "sampler": {"kind": "metropolis"}}
    (fault,) = assert_problem(client.post("/v1/sentences", json=body), 422)["errors"]
    assert "closest" in fault["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"texts": []}, "texts"),
        ({"texts": ["今天。", " "]}, "texts[1]"),
        ({"texts": ["今天。", "公园😀"]}, "texts[1]"),
        ({"texts": ["a" * 2001]}, "texts[0]"),
        ({"texts": ["dog"] * 1001}, "texts"),
        ({"texts": ["dog"], "context": "dog " * 2100}, "context"),
    ],
)
def test_bad_score_request(client: TestClient, body: dict[str, Any], field: str) -> None:
    assert assert_problem(client.post("/v1/score", json=body), 422)["errors"][0]["field"] == field
