"""POST /v1/score: a text's score depends on nothing else than the text, the model and the context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from transformers import AutoModelForCausalLM

from app.engine.engine import Engine
from app.languages.registry import LANGUAGES
from tests.support.tiny_model import Plain

MIXED_LIST = [
    "今天我去公园。",
    "the dog runs.",
    "學校的書。",
    "今天的A, 手机。",
    "the dog: 1 a.",
    "公园，散步。",
]


def score(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/score", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.parametrize("top", [0, 4])
def test_a_list_of_mixed_languages_scores_each_as_if_sent_alone(top: int, client: TestClient) -> None:
    together = score(client, texts=MIXED_LIST, top=top)
    assert [entry["language"] for entry in together["scores"]] == ["zh", "en", "zh", "zh", "en", "zh"]
    assert together["vocabulary"] is None and together["model"]["vocabulary"] is None
    assert together["model"]["context"] is None
    for text, entry in zip(MIXED_LIST, together["scores"], strict=True):
        alone = score(client, texts=[text], top=top)
        assert alone["scores"] == [entry]
        assert alone["vocabulary"] == alone["model"]["vocabulary"] == entry["vocabulary"]
        assert alone["model"]["context"] == entry["context"] == LANGUAGES[entry["language"]].opening


def test_the_narrowest_mask_that_spells_a_text_is_taken(client: TestClient) -> None:
    entries = score(client, texts=MIXED_LIST)["scores"]
    assert [entry["vocabulary"] for entry in entries] == ["zh", "en", "zh-full", "mixed-wide", "en-wide", "zh"]


def test_a_long_text_leaves_the_context_of_the_others(client: TestClient) -> None:
    """The opening is left out where it does not fit beside a text, and for that text alone."""
    short, long = "今天我去公园。", "今天" * 980 + "。"
    together = score(client, texts=[short, long])["scores"]
    assert [entry["context"] for entry in together] == [LANGUAGES["zh"].opening, ""]
    assert together[0] == score(client, texts=[short])["scores"][0]


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("今天\u200b我去\ufeff公园。", "今天我去公园。"),
        ("ｔｈｅ\u00a0ｄｏｇ\u3000runs.", "the dog runs."),
        (" the \u2009dog runs.\r\n", "the  dog runs."),
    ],
)
def test_texts_are_normalised(written: str, same: str, client: TestClient) -> None:
    assert score(client, texts=[written])["scores"] == score(client, texts=[same])["scores"]


def test_a_context_is_normalised_and_is_text(client: TestClient) -> None:
    def scores(context: str) -> Any:
        return score(client, texts=["the dog runs."], context=context)["scores"][0]["log_probs"]

    assert scores("a cat.\r\na dog.\r") == scores("a cat.\na dog.\n")
    assert scores("the dog <eos>") != scores("the dog ")


def test_every_text_that_cannot_be_spelled_is_named(client: TestClient) -> None:
    response = client.post("/v1/score", json={"texts": ["今天。", "the dög.", "公园😀。"]})
    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [
        ("texts[1]", "unspellable"),
        ("texts[2]", "unspellable"),
    ]


@pytest.mark.parametrize("context", ["", "the dog runs.今天", None])
@pytest.mark.parametrize("text", MIXED_LIST[:4])
def test_tokens_are_ranked_by_the_model_s_own_rows(
    text: str, context: str | None, client: TestClient, model_folder: Path
) -> None:
    (entry,) = score(client, texts=[text], context=context, top=5)["scores"]
    engine: Engine = client.app.state.loading.engine  # type: ignore[attr-defined]
    vocabulary = engine.model.vocabulary(entry["vocabulary"])
    before = [engine.model.begin, *engine.model.tokenizer.encode(entry["context"])]
    tokens = list(vocabulary.sentence(text))
    plain = Plain(AutoModelForCausalLM.from_pretrained(model_folder).eval(), vocabulary.ids)
    rows = plain.rows([*before, *tokens])[len(before) - 1 : -1]
    own = rows[np.arange(len(rows)), vocabulary.local_ids[tokens]]
    assert entry["log_probs"] == pytest.approx(own, abs=1e-4)
    assert entry["ranks"] == (1 + (rows > own[:, None]).sum(-1)).tolist()
    assert entry["entropies"] == pytest.approx(-(np.exp(rows) * rows).sum(-1), abs=1e-4)
    for row, listed in zip(rows, entry["top"], strict=True):
        best = np.argsort(-row)[:5]
        assert [one["token"] for one in listed] == [vocabulary.piece(int(vocabulary.ids[k])) for k in best]
        assert [one["log_prob"] for one in listed] == pytest.approx(row[best], abs=1e-4)


def test_a_token_has_one_log_prob(client: TestClient) -> None:
    (entry,) = score(client, texts=["the dog, the cat, the man."], top=20)["scores"]
    places = zip(entry["tokens"], entry["log_probs"], entry["ranks"], entry["top"], strict=True)
    listed = [place for place in places if place[2] <= 20]
    assert listed
    for token, log_prob, rank, top in listed:
        assert top[rank - 1] == {"token": token, "log_prob": log_prob}


def test_stored_scores_are_ranked_as_fresh_ones(client: TestClient) -> None:
    text = "他们在美丽的城市听音乐。"
    fresh = score(client, texts=[text], top=2)
    plain = score(client, texts=[text])
    stored = score(client, texts=[text], top=2)
    assert plain["scores"] == [{**fresh["scores"][0], "ranks": None, "entropies": None, "top": None}]
    assert stored["scores"] == fresh["scores"]
    # Rows are read by the model; a score alone needs it no more.
    assert plain["usage"] == {"lm_calls": 0, "lm_tokens": 0, "recalled": 1}
    assert stored["usage"]["lm_tokens"] == len(fresh["scores"][0]["tokens"]) - 1


@pytest.mark.parametrize(
    ("top", "code"), [(21, "too-large"), (-1, "too-small"), ("5", "wrong-type"), (2.5, "wrong-type")]
)
def test_top_is_a_small_number(top: Any, code: str, client: TestClient) -> None:
    response = client.post("/v1/score", json={"texts": ["今天。"], "top": top})
    assert response.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [("top", code)]


def test_tokens_that_one_answer_lists_are_bounded(client: TestClient) -> None:
    texts = ["今天" * 900 + "。"] * 6
    response = client.post("/v1/score", json={"texts": texts, "top": 20})
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert (fault["field"], fault["code"]) == ("top", "too-large") and "108120" in fault["message"]
