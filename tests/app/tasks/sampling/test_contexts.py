"""Contexts by kind: which chain continues which, and that each keeps the law of its own."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.main import create_app
from app.settings.settings import Settings
from app.tasks.sampling.contexts import Contexts, ReadContext
from tests.app.conftest import wait_until_ready
from tests.support import tiny_service as tiny

FAST = {"kind": "metropolis", "chains": 5, "steps": 12}
POOL = {"kind": "pool"}
CHOICES = Contexts([ReadContext(letter) for letter in "abcdef"], optional=True)


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/sentences", json={"keywords": ["今天", "公园"], "sampler": FAST, "seed": 3, **body})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def faults(client: TestClient, **body: Any) -> list[dict[str, str]]:
    response = client.post("/v1/sentences", json={"keywords": ["今天", "公园"], "sampler": FAST, **body})
    assert response.status_code == 422, response.text
    found: list[dict[str, str]] = response.json()["errors"]
    return found


def dealt(seed: int, chains: int, fits: str = "abcdef") -> str:
    return "".join(context.text for context in CHOICES.dealt(seed, chains, lambda text: text in fits))


def test_each_chain_has_a_context_of_its_own_as_long_as_there_are_any() -> None:
    for seed in range(20):
        assert sorted(dealt(seed, 6)) == sorted("abcdef")
        assert dealt(seed, 15) == dealt(seed, 6) * 2 + dealt(seed, 3)
    assert dealt(3, 4) == dealt(3, 4) != dealt(4, 4)


def test_each_chain_s_context_is_any_of_them_with_the_same_probability() -> None:
    for chain in (0, 3, 7):
        counts = Counter(dealt(seed, 8)[chain] for seed in range(1200))
        # Of 1,200 draws 200 are expected, with a standard deviation of 13.
        assert all(abs(counts[letter] - 200) < 60 for letter in "abcdef"), counts


def test_what_leaves_no_room_is_left_out() -> None:
    assert set(dealt(1, 9, fits="be")) == {"b", "e"}
    assert CHOICES.dealt(1, 2, lambda text: False) == [ReadContext(""), ReadContext("")]


def test_every_chain_keeps_the_law_of_the_context_that_the_answer_names(client: TestClient) -> None:
    answer = ask(client, context=POOL, select="last", samples=5)
    contexts = answer["model"]["contexts"]
    assert answer["model"]["context"] is None and len(set(contexts)) == len(contexts) == 5
    assert set(contexts) <= set(LANGUAGES["zh"].pool)
    for sentence in answer["sentences"]:
        scored = client.post(
            "/v1/score", json={"texts": [sentence["text"]], "context": contexts[sentence["chain"]]}
        ).json()
        assert scored["scores"][0]["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-4)


def test_a_chain_is_the_one_that_its_context_gives_alone(client: TestClient) -> None:
    """The union of the chains samples the mixture of the contexts, since each runs as if by itself."""
    body = {"select": "last", "samples": 5, "allow_copies": True}
    pooled = ask(client, context=POOL, **body)
    for chain, context in list(enumerate(pooled["model"]["contexts"]))[:2]:
        alone = {each["chain"]: each for each in ask(client, context=context, **body)["sentences"]}
        (same,) = [each for each in pooled["sentences"] if each["chain"] == chain] or [alone.get(chain)]
        assert same is None or alone[chain]["text"] == same["text"]
        assert same is None or alone[chain]["log_prob"] == same["log_prob"]


def test_usage_counts_a_forward_of_many_contexts_once(client: TestClient) -> None:
    pooled, plain = (ask(client, context=each, seed=90)["usage"] for each in (POOL, "今天早上"))
    assert pooled["lm_tokens"] > 0
    assert 0 < pooled["lm_calls"] < 2 * plain["lm_calls"], "with five contexts a forward of each alone takes five times"


@pytest.mark.parametrize("text", ["", "今天早上"])
def test_a_string_is_the_text(text: str, client: TestClient) -> None:
    answers = [ask(client, context=each) for each in (text, {"kind": "text", "text": text}, {"text": text})]
    assert answers[0]["model"]["context"] == text and answers[0]["model"]["contexts"] is None
    assert [answer["sentences"] for answer in answers[1:]] == [answers[0]["sentences"]] * 2


@pytest.mark.parametrize(
    ("keywords", "ends"),
    [
        (["今天", ["公园", "散步"]], "词语：今天、公园\n句子："),
        (["dog", "red"], "Words: dog, red\nSentence:"),
    ],
)
def test_examples_end_with_the_request_s_own_words(keywords: list[Any], ends: str, client: TestClient) -> None:
    context = ask(client, keywords=keywords, context={"kind": "examples"})["model"]["context"]
    assert context.endswith(f"\n\n{ends}")


def test_proposals_from_another_context_change_no_score(client: TestClient) -> None:
    answer = ask(client, context="今天早上", proposals="examples", samples=5)
    plain = ask(client, context="今天早上", samples=5)
    assert answer["model"]["context"] == "今天早上"
    assert answer["model"]["proposals"].endswith("句子：") and plain["model"]["proposals"] is None
    assert answer["sentences"] != plain["sentences"]
    for sentence in answer["sentences"]:
        scored = client.post("/v1/score", json={"texts": [sentence["text"]], "context": "今天早上"}).json()
        assert scored["scores"][0]["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-4)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"context": {"kind": "instruction"}}, "context", "unknown-value"),
        ({"proposals": "instruction"}, "proposals", "unknown-value"),
        ({"context": {"kind": "verse"}}, "context.kind", "unknown-value"),
        ({"context": {"kind": "pool", "text": "x"}}, "context.text", "unknown-field"),
        ({"context": {"kind": "text"}}, "context.text", "missing"),
        ({"context": {"kind": 3, "text": "x"}}, "context.kind", "unknown-value"),
        ({"context": {"text": "x" * 9000}}, "context.text", "too-long"),
        ({"context": "x" * 9000}, "context", "too-long"),
        ({"context": 3}, "context", "wrong-type"),
        ({"context": "天" * 1100}, "context", "too-long"),
    ],
)
def test_what_cannot_be_is_refused(body: dict[str, Any], field: str, code: str, client: TestClient) -> None:
    (fault,) = faults(client, **body)
    assert (fault["field"], fault["code"]) == (field, code)
    assert fault["remedy"]


def test_an_instruction_stands_in_the_model_s_chat_template(settings: Settings, tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "chat")
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<bos>"}')
    (folder / "chat_template.jinja").write_text(
        "{{ bos_token }}{{ messages[0].content }}<eos>{% if add_generation_prompt %}a{% endif %}"
    )
    own = settings.model_copy(update={"model": str(folder), "state_dir": tmp_path})
    with TestClient(create_app(own)) as client:
        wait_until_ready(client)
        answer = ask(client, context={"kind": "instruction"}, allow_copies=False)
        context = answer["model"]["context"]
        assert re.fullmatch(r"<bos>请用.*今天、公园.*<eos>a", context)
        # Control tokens are tokens: the score is another than under a text that spells them.
        sentence = answer["sentences"][0]
        spelled = client.post("/v1/score", json={"texts": [sentence["text"]], "context": context}).json()
        assert spelled["scores"][0]["log_prob"] != pytest.approx(sentence["log_prob"], abs=1e-3)


def test_constraints_asked_for_are_named_and_hold(client: TestClient) -> None:
    run = re.compile("(?=(.{6}))")
    context = "今天我们在公园里散步，明天他们去学校看电影。"
    body = {"keywords": ["我们", "电影"], "context": context, "sampler": {"chains": 8, "steps": 60}, "samples": 20}
    free, held = ask(client, **body, allow_copies=True, once=False), ask(client, **body)
    assert free["constraints"] == [] and held["constraints"] == ["no_copies", "once"]
    plain = re.sub(r"\W", "", context)
    for sentence in held["sentences"]:
        said = re.sub(r"\W", "", sentence["text"])
        assert said.count("我们") == said.count("电影") == 1
        assert not any(part in plain for part in run.findall(re.sub("我们|电影", "_", said)))
