"""POST /v1/score: a text's score depends on nothing else than the text, the model and the context."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES

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


def test_a_list_of_mixed_languages_scores_each_as_if_sent_alone(client: TestClient) -> None:
    together = score(client, texts=MIXED_LIST)
    assert [entry["language"] for entry in together["scores"]] == ["zh", "en", "zh", "zh", "en", "zh"]
    assert together["vocabulary"] is None and together["model"]["vocabulary"] is None
    assert together["model"]["context"] is None
    for text, entry in zip(MIXED_LIST, together["scores"], strict=True):
        alone = score(client, texts=[text])
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
