"""Blanks of a text, filled through the service: what is around them stays, what is asked of them holds."""

from __future__ import annotations

import json
import re
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.infills.blanks import BLANK, BlankedText
from app.tasks.infills.schemas import InfillsAnswer

FAST = {"chains": 3, "steps": 8}


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/infills", json={"seed": 3, "sampler": FAST, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def around(text: str, filled: str) -> bool:
    """Whether a text is another one with its blanks filled, to the character."""
    return re.fullmatch("(.+)".join(map(re.escape, BLANK.split(text))), filled, re.DOTALL) is not None


TEXTS = [
    "我们在___散步。",
    "___，今天人很美。",
    "今天早上___",
    "公园里___，我们___。",
    "他说，不！我们___去？看！",
    "我  们\t在＿＿＿１散步",
    "The dog ___ the park.",
    "___ in the park!",
    "  the dog ran  ___ the   park\n",
    "I walk to the ____ and ___",
    "dog ___",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_around_the_blanks_stays_to_the_character(client: TestClient, text: str) -> None:
    answer = ask(client, text=text, samples=3)
    assert 1 <= len(answer["infills"]) <= 3
    for infill in answer["infills"]:
        assert around(text, infill["text"])
        assert len(infill["fills"]) == len(BLANK.findall(text)) and all(infill["fills"])
        pieces = zip_longest(BLANK.split(text), infill["fills"], fillvalue="")
        assert "".join(chain.from_iterable(pieces)) == infill["text"]


def test_the_answer_is_of_its_schema_and_repeats_by_its_seed(client: TestClient) -> None:
    body = {"text": TEXTS[3], "samples": 2}
    answer = ask(client, **body)
    assert InfillsAnswer.model_validate(answer)
    assert ask(client, **body)["infills"] == answer["infills"]
    assert ask(client, **body, **{"seed": 4})["infills"] != answer["infills"]
    best = answer["infills"][0]
    assert best["fill_log_prob_per_token"] < 0
    scored = client.post("/v1/score", json={"texts": [best["text"]]}).json()["scores"][0]
    if scored["tokens"] == best["tokens"]:
        assert scored["log_prob"] == pytest.approx(best["log_prob"], abs=1e-4)


def test_each_blank_has_what_is_asked_of_it(client: TestClient) -> None:
    blanks = [
        {"keywords": ["公园", "人"], "length": {"max": 8}},
        {"length": {"min": 2, "max": 3}},
        {"pattern": "[天水]{2}"},
    ]
    answer = ask(client, text="今天___很美，我们___，说___。", blanks=blanks, samples=5, forbidden=["我"])
    for infill in answer["infills"]:
        first, second, third = infill["fills"]
        assert re.search("公园.*人", first) and len(first) <= 8
        assert 2 <= len(second) <= 3 and re.fullmatch("[天水]{2}", third)
        assert not any("我" in fill for fill in infill["fills"]), "the text's own 我 is no matter"


@pytest.mark.parametrize("kind", ["metropolis", "tempering", "gibbs", "smc", "importance", "particle_gibbs"])
def test_every_sampler_fills(client: TestClient, kind: str) -> None:
    chains = {"chains": 4, "steps": 10} if kind not in ("smc", "importance") else {}
    answer = ask(client, text=TEXTS[0], sampler={"kind": kind, **chains}, select="last", samples=4)
    assert answer["infills"] and all(around(TEXTS[0], each["text"]) for each in answer["infills"])


def test_the_stream_ends_with_the_plain_answer(client: TestClient) -> None:
    body = {"text": TEXTS[0], "seed": 3, "sampler": FAST, "trace": "edits"}
    lines = client.post("/v1/infills", json=body | {"stream": True}).text.splitlines()
    events = [(a[7:], json.loads(b[6:])) for a, b in zip(lines, lines[1:], strict=False) if a.startswith("event: ")]
    assert {name for name, _ in events} == {"sentence", "trace", "step", "done"}
    assert all(around(TEXTS[0], data["text"]) for name, data in events if name == "sentence")
    assert all(around(TEXTS[0], each["text"]) for name, data in events if name == "step" for each in data["chains"])
    done, plain = events[-1][1], ask(client, **{key: body[key] for key in ("text", "trace")})
    assert done["infills"] == plain["infills"] and done["trace"] == plain["trace"]


def test_a_dry_run_tells_the_plan(client: TestClient) -> None:
    plan = ask(client, text=TEXTS[3], dry_run=True)
    assert (plan["language"] == "zh" and [["公", "园", "里"]] in plan["keywords"]) or plan["keywords"]


def test_items_of_jobs_and_the_command_take_it(client: TestClient) -> None:
    bodies = [{"text": TEXTS[0], "seed": 3, "sampler": FAST}, {"text": "今天。"}]
    refused = client.post("/v1/jobs", json={"url": "/v1/infills", "bodies": bodies}).json()["errors"]
    assert refused[0]["field"] == "bodies[1].text" and refused[0]["code"] == "missing"
    job = client.post("/v1/jobs", json={"url": "/v1/infills", "bodies": bodies[:1]}).json()["id"]
    while client.get(f"/v1/jobs/{job}").json()["status"] not in ("completed", "failed"):
        pass
    (line,) = client.get(f"/v1/jobs/{job}/results").text.splitlines()
    assert json.loads(line)["response"]["body"]["infills"] == ask(client, text=TEXTS[0])["infills"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"text": ""}, "text", "blank"),
        ({"text": " \n"}, "text", "blank"),
        ({"text": "今天我去公园。"}, "text", "missing"),
        ({"text": "今天__公园。"}, "text", "missing"),
        ({"text": "今天___ ___公园。"}, "text", "malformed"),
        ({"text": "un___able"}, "text", "malformed"),
        ({"text": "今天___\u0007公园。"}, "text", "control-character"),
        ({"text": "今天___" + "公" * 10_000}, "text", "too-long"),
        ({"text": "今___" * 17}, "text", "too-many"),
        ({"text": "今天___公园😀。"}, "text", "unspellable"),
        ({"text": 3}, "text", "wrong-type"),
        ({}, "text", "missing"),
        ({"text": "今天___。", "blanks": []}, "blanks", "too-few"),
        ({"text": "今天___。", "blanks": [{}, {}]}, "blanks", "too-many"),
        ({"text": "今天___。", "blanks": [{"length": {"min": 5, "max": 3}}]}, "blanks[0].length.max", "contradictory"),
        ({"text": "今天___。", "blanks": [{"length": {"max": 10**6}}]}, "blanks[0].length.max", "too-large"),
        (
            {"text": "今天___。", "blanks": [{"keywords": ["公园", "学校"], "length": {"max": 3}}]},
            "blanks[0].length.max",
            "too-small",
        ),
        ({"text": "今天___。", "blanks": [{"keywords": ["a😀"]}]}, "blanks[0].keywords[0]", "unspellable"),
        ({"text": "今天___。", "blanks": [{"keywords": [" "]}]}, "blanks[0].keywords[0]", "blank"),
        ({"text": "今天___。", "blanks": [{"pattern": "("}]}, "blanks[0].pattern", "malformed"),
        ({"text": "今天___。", "blanks": [{"words": ["a"]}]}, "blanks[0].words", "unknown-field"),
        ({"text": "今天___。", "blanks": [{"pattern": "公园"}], "forbidden": ["公园"]}, "text", "infeasible"),
        (
            {"text": "今天___。", "forbidden": ["公"], "blanks": [{"keywords": ["公园"]}]},
            "blanks[0].keywords[0]",
            "forbidden-keyword",
        ),
        ({"text": "今天___。", "keywords": ["公园"]}, "keywords", "unknown-field"),
    ],
    ids=str,
)
def test_bad_input_is_told_by_field_code_and_remedy(
    client: TestClient, body: dict[str, Any], field: str, code: str
) -> None:
    response = client.post("/v1/infills", json=body)
    assert response.status_code == 422, response.text
    (fault,) = response.json()["errors"]
    assert (fault["field"], fault["code"]) == (field, code), fault
    assert fault["message"] and fault["remedy"]


def test_texts_are_read_as_they_are_spaced() -> None:
    text = BlankedText.of("She  went ___ to\tthe ＿＿＿ park . ", LANGUAGES["en"])
    assert [segment.text for segment in text.segments] == ["She went", "to the", "park ."] and text.mark == "."
    assert [segment.spaced for segment in text.segments[1:]] == [(True, True), (True, True)]
    assert text.texts == ["She went", "to the", "park"]
    assert text.filled(["out", "big"]) == "She  went out to\tthe big park . "
    assert [text.spaced_before(number, LANGUAGES["en"]) for number in (0, 1)] == [True, True]
    for given in ("___ in", "(___)"):
        assert not BlankedText.of(given, LANGUAGES["en"]).spaced_before(0, LANGUAGES["en"])
    assert not BlankedText.of("我们 ___。", LANGUAGES["zh"]).spaced_before(0, LANGUAGES["zh"])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        *((given, True) for given in ("un___able", "He came___.", "the ___dog", "3___")),
        *((given, False) for given in ("a ___, b", "(___)", "well-___ dog", "___", "我们___去")),
    ],
)
def test_a_blank_against_letters_is_told_where_words_are_apart(text: str, inside: bool) -> None:
    language = LANGUAGES["zh" if "我" in text else "en"]
    assert BlankedText.of(text, language).inside_word(0, language) is inside


@pytest.mark.parametrize(
    ("language", "given", "mark", "last"),
    [
        ("zh", "去___吗?", "", "吗?"),
        ("zh", "去___吗？", "？", "吗"),
        ("en", "he ___...", ".", ".."),
        ("en", "he ___", "", ""),
    ],
)
def test_the_closing_mark_is_one_of_the_language(language: str, given: str, mark: str, last: str) -> None:
    text = BlankedText.of(given, LANGUAGES[language])
    assert (text.mark, text.texts[-1]) == (mark, last)


def test_chains_start_where_both_sides_count(client: TestClient) -> None:
    """The words after a blank are in the score of what is written in it."""
    answers = [ask(client, text=f"今天___{end}。", samples=1)["infills"][0] for end in ("公园", "学校")]
    assert np.isfinite([each["log_prob"] for each in answers]).all()
    assert answers[0]["log_prob"] != answers[1]["log_prob"]
