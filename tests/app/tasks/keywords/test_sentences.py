"""POST /v1/sentences over a real tiny model."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cli.evaluate.coverage import covered
from app.languages.registry import LANGUAGES
from app.tasks.keywords.schemas import SentencesRequest

CHINESE, ENGLISH = LANGUAGES["zh"], LANGUAGES["en"]
FAST = {"kind": "metropolis", "chains": 3, "steps": 12}


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/sentences", json={"sampler": FAST, "seed": 3, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    return [sentence["text"] for sentence in answer["sentences"]]


def test_chinese(client: TestClient) -> None:
    answer = ask(client, keywords=["今天", "公园", "散步"], samples=5)
    assert answer["model"]["vocabulary"] == "zh"
    assert len(set(texts(answer))) == len(texts(answer)) > 1
    for text in texts(answer):
        assert all(covered([word], text, CHINESE) for word in ("今天", "公园", "散步"))
        assert text[-1] in "。！？" and len(text) <= 24
    per_token = [sentence["log_prob_per_token"] for sentence in answer["sentences"]]
    assert per_token == sorted(per_token, reverse=True)
    for sentence in answer["sentences"]:
        assert "".join(sentence["tokens"]) == sentence["text"]
        assert sentence["log_prob"] == pytest.approx(sentence["log_prob_per_token"] * len(sentence["tokens"]))
    diagnostics = answer["diagnostics"]
    assert set(diagnostics["acceptance"]) <= {"replace", "insert", "delete", "swap"}
    assert sum(move["tried"] for move in diagnostics["acceptance"].values()) == 3 * 12
    assert diagnostics["steps"] == 12 and diagnostics["states_visited"] >= 3
    assert answer["usage"]["lm_calls"] > 0 and answer["usage"]["lm_tokens"] > 0


def test_english_with_forms(client: TestClient) -> None:
    forms = ["run", "runs", "running", "ran"]
    answer = ask(client, keywords=[["dog", "dogs"], forms, "park"], samples=5)
    assert answer["model"]["vocabulary"] == "en"
    for text in texts(answer):
        words = re.findall(r"\w+", text)
        assert {"dog", "dogs"} & set(words) and set(forms) & set(words) and "park" in words
        assert text[-1] in ".!?" and len(words) <= 20
    reform = {"kind": "metropolis", "chains": 4, "steps": 30, "moves": {"reform": 1.0}}
    assert "reform" in ask(client, keywords=[forms], sampler=reform)["diagnostics"]["acceptance"]


def test_moves_of_several_tokens_run_if_they_have_a_weight(client: TestClient) -> None:
    long = {"redraw": 0.5, "redraw_span": 0.5, "shift": 0.2}
    assert not long.keys() & ask(client, keywords=["公园", "散步"])["diagnostics"]["acceptance"].keys()
    sampler = {"kind": "metropolis", "chains": 4, "steps": 40, "moves": long}
    answer = ask(client, keywords=["公园", "散步"], length={"max": 20}, sampler=sampler)
    assert {name for name in long if answer["diagnostics"]["acceptance"][name]["proposed"]} == long.keys()
    for text in texts(answer):
        assert "公园" in text and "散步" in text and len(text) <= 20


def test_moves_that_do_not_apply_are_named(client: TestClient) -> None:
    moves = {**dict.fromkeys(["replace", "insert", "delete", "reform"], 0), "swap": 1}
    body = {"keywords": ["公园", "散步"], "ordered": True, "sampler": {"kind": "metropolis", "moves": moves}}
    reply = client.post("/v1/sentences", json=body)
    assert reply.status_code == 422
    (fault,) = reply.json()["errors"]
    assert fault["field"] == "sampler.moves" and fault["message"].startswith("only swap has a weight")
    del body["ordered"]
    assert client.post("/v1/sentences", json=body | {"samples": 1}).status_code == 200


def test_phrase_in_english(client: TestClient) -> None:
    assert all("New York" in text for text in texts(ask(client, keywords=["New York", "dog"], samples=5)))


def test_ordered_keywords_keep_their_order(client: TestClient) -> None:
    answer = ask(client, keywords=["dog", "cat", "park"], ordered=True, samples=20)
    for text in texts(answer):
        assert re.search(r"\bdog\b.*\bcat\b.*\bpark\b", text)
    assert "swap" not in answer["diagnostics"]["acceptance"]


@pytest.mark.parametrize(
    ("body", "length"),
    [
        ({"keywords": ["今天"], "length": {"min": 12, "max": 14}}, lambda s: len(s["text"])),
        ({"keywords": ["今天"], "length": {"min": 30}}, lambda s: len(s["text"])),
        ({"keywords": ["dog"], "length": {"min": 8, "max": 10}}, lambda s: len(s["text"].split())),
        ({"keywords": ["dog"], "length": {"min": 9, "max": 9, "unit": "tokens"}}, lambda s: len(s["tokens"])),
    ],
)
def test_length_bounds_hold_from_the_first_state(client: TestClient, body: dict[str, Any], length: Any) -> None:
    bounds = body["length"]
    for sentence in ask(client, samples=20, **body)["sentences"]:
        assert bounds["min"] <= length(sentence) <= bounds.get("max", 10**6)


def test_forbidden_words_do_not_occur(client: TestClient) -> None:
    for text in texts(ask(client, keywords=["今天"], forbidden=["公", "手机"], samples=20)):
        assert "公" not in text and "手机" not in text
    for text in texts(ask(client, keywords=["dog"], forbidden=["run", "I"], samples=20)):
        assert not {"run", "i"} & set(text.lower().replace(".", "").split())


def test_context_changes_scores_and_may_hold_anything(client: TestClient) -> None:
    plain, conditioned = ask(client, keywords=["今天"]), ask(client, keywords=["今天"], context="昨天😀 the dog\n")
    assert plain["sentences"] != conditioned["sentences"]


def test_traditional_and_mixed_vocabularies(client: TestClient) -> None:
    assert ask(client, keywords=["公園"])["model"]["vocabulary"] == "zh-full"
    answer = ask(client, keywords=["手机", "dog"])
    assert answer["model"]["vocabulary"] == "mixed"
    assert covered(["dog"], texts(answer)[0], CHINESE)
    assert ask(client, keywords=["dog"], language="zh")["model"]["vocabulary"] == "mixed"


def test_same_seed_same_answer(client: TestClient) -> None:
    def timeless(answer: dict[str, Any]) -> dict[str, Any]:
        answer["diagnostics"].pop("seconds", None)
        answer.pop("usage", None)  # the second time the score store answers
        return answer

    body: dict[str, Any] = {"keywords": ["今天", "公园"], "samples": 5}
    first, other = ask(client, **body), ask(client, **{**body, "seed": 4})
    assert timeless(first) == timeless(ask(client, **body))
    assert first["sentences"] != other["sentences"]
    drawn = ask(client, **{**body, "seed": None})
    again = ask(client, **{**body, "seed": drawn["seed"]})
    assert timeless(drawn) == timeless(again)


def test_a_deadline_ends_the_run_with_what_was_found(client: TestClient) -> None:
    sampler = {"kind": "metropolis", "chains": 3, "steps": 5000}
    answer = ask(client, keywords=["今天", "公园"], sampler=sampler, seconds=1.0)
    assert answer["diagnostics"]["seconds"] >= 1.0
    assert 0 < answer["diagnostics"]["steps"] < 5000
    assert covered(["今天", "公园"], texts(answer)[0], CHINESE)


def test_select_last_returns_where_the_chains_end(client: TestClient) -> None:
    last = ask(client, keywords=["今天"], samples=20, select="last")
    best = ask(client, keywords=["今天"], samples=20)
    assert len(last["sentences"]) <= 3
    assert len({sentence["chain"] for sentence in last["sentences"]}) == len(last["sentences"])
    assert best["sentences"][0]["log_prob_per_token"] >= last["sentences"][0]["log_prob_per_token"]


def test_no_steps_returns_first_states(client: TestClient) -> None:
    answer = ask(client, keywords=["今天"], sampler={"kind": "metropolis", "steps": 0}, samples=8)
    assert {sentence["step"] for sentence in answer["sentences"]} == {0}


@pytest.mark.parametrize(
    "schedule",
    [
        {"kind": "linear", "start": 0.2, "stop": 5.0},
        {"kind": "geometric"},
        {"kind": "listed", "betas": [0.0, 0.5, 1]},
    ],
)
def test_annealing(client: TestClient, schedule: dict[str, Any]) -> None:
    sampler = {"kind": "annealing", "chains": 2, "steps": 8, "schedule": schedule}
    assert covered(["dog"], texts(ask(client, keywords=["dog"], sampler=sampler))[0], ENGLISH)


def test_words_are_normalised(client: TestClient) -> None:
    assert "New York" in texts(ask(client, keywords=["  New \t York "]))[0]


def test_score_is_the_samplers_score(client: TestClient) -> None:
    sentence = ask(client, keywords=["今天", "公园"])["sentences"][0]
    response = client.post("/v1/score", json={"texts": [sentence["text"], "我们喜欢散步。"]})
    assert response.status_code == 200, response.text
    answer = response.json()
    first, second = answer["scores"]
    assert answer["vocabulary"] == "zh" and len(first["tokens"]) == len(first["log_probs"])
    if first["tokens"] == sentence["tokens"]:
        assert first["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-3)
    assert second["log_prob"] == pytest.approx(sum(second["log_probs"]))
    conditioned = client.post("/v1/score", json={"texts": ["我们喜欢散步。"], "context": "今天"}).json()
    assert conditioned["scores"][0]["log_prob"] != pytest.approx(second["log_prob"])


def test_many_texts_are_scored_as_each_alone(client: TestClient) -> None:
    many = ["the dog runs.", "a cat.", "the big dog walks in the park with a small cat!"] * 100
    scores = client.post("/v1/score", json={"texts": many}).json()["scores"]
    assert [score["text"] for score in scores] == many
    alone = client.post("/v1/score", json={"texts": [many[2]]}).json()["scores"][0]
    assert scores[2]["log_prob"] == pytest.approx(alone["log_prob"], abs=1e-3)


def test_without_a_context_a_sentence_continues_plain_ones(client: TestClient) -> None:
    body: dict[str, Any] = {"keywords": ["今天", "公园"], "samples": 3}
    default = ask(client, **body)
    assert default["model"]["context"] == CHINESE.opening
    assert ask(client, **body, context=CHINESE.opening)["sentences"] == default["sentences"]
    bare = ask(client, **body, context="")
    assert bare["model"]["context"] == "" and bare["sentences"] != default["sentences"]
    assert ask(client, keywords=["park"])["model"]["context"] == ENGLISH.opening
    for answer, given in ((default, {}), (bare, {"context": ""})):
        sentence = answer["sentences"][0]
        scored = client.post("/v1/score", json={"texts": [sentence["text"]], **given}).json()
        assert scored["model"]["context"] == answer["model"]["context"]
        # A text may have other spellings, which share its probability.
        if scored["scores"][0]["tokens"] == sentence["tokens"]:
            assert scored["scores"][0]["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-3)


def test_an_opening_that_does_not_fit_is_left_out() -> None:
    assert CHINESE.context(None, lambda text: False) == ""
    assert CHINESE.context("给定", lambda text: False) == "给定"


def test_many_chains_share_their_drafts() -> None:
    def drafts(chains: int, **more: int) -> int:
        sampler = {"kind": "annealing", "chains": chains, **more}
        return SentencesRequest.model_validate({"keywords": ["a"], "sampler": sampler}).sampler.drafts_per_chain

    assert [drafts(chains) for chains in (1, 8, 16, 32, 64)] == [4, 4, 2, 1, 1]
    assert drafts(64, drafts=3) == 3


@pytest.mark.parametrize(
    ("written", "same"),
    [("ｐａｒｋ", "park"), ("pa\u00adrk", "park"), ("今\u200b天", "今天"), ("\ufeff公园\u3000", "公园")],
)
def test_a_keyword_is_the_same_however_it_is_written(written: str, same: str, client: TestClient) -> None:
    assert ask(client, keywords=[written])["sentences"] == ask(client, keywords=[same])["sentences"]


@pytest.mark.parametrize(
    "keywords",
    [["a, dog", "park"], ["who, me?", "park"], ["今天，公园", "散步"], [["dogs", "Dogs"], "park"], ["A 1", "dog"]],
)
def test_what_a_keyword_is_written_with_is_not_judged(client: TestClient, keywords: list[str | list[str]]) -> None:
    for text in texts(ask(client, keywords=keywords, samples=5)):
        for forms in ([keyword] if isinstance(keyword, str) else keyword for keyword in keywords):
            assert any(form in text for form in forms)
        assert "Dogs" not in text[1:]
