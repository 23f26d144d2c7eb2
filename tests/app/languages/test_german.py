"""A third language is one file and one line: the real service, told of German."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.languages.registry import LANGUAGES
from tests.app.languages.german import German
from tests.support import tiny_service as tiny
from tests.support.service_process import service

WORDS = [
    *("Das", "Der", "Die", "Ein", "Mädchen", "Junge", "Haus", "Hausboot", "Straße", "Äpfel", "Wald", "Garten"),
    *("das", "der", "die", "ein", "läuft", "geht", "sieht", "isst", "durch", "über", "grün", "schön", "und", "im"),
]
FAST = {"kind": "metropolis", "chains": 3, "steps": 20}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pieces = [*(f"▁{word}" for word in WORDS), *"äöüßÄÖÜ„“-/"]
    model = tiny.save(tmp_path_factory.mktemp("german_model"), pieces)
    with service(model, tmp_path_factory.mktemp("german"), module="tests.app.languages.german_command") as (_, url):
        yield url


def post(url: str, path: str, status: int = 200, **body: Any) -> Any:
    response = httpx.post(f"{url}/v1/{path}", json=body, timeout=300, trust_env=False)
    assert response.status_code == status, response.text
    return response.json()


def ask(url: str, **body: Any) -> Any:
    return post(url, "sentences", **{"sampler": FAST, "seed": 5, "samples": 20, "language": "de", **body})


def test_sentences_hold_whole_words_open_with_a_capital_and_close(url: str) -> None:
    wandering = {"kind": "metropolis", "beta": 0.1, "chains": 4, "steps": 60}
    answer = ask(url, keywords=["Mädchen", ["Straße", "Garten"]], length={"min": 8}, sampler=wandering)
    assert answer["model"]["vocabulary"] == "de" and answer["model"]["context"] == German.opening
    assert len(answer["sentences"]) > 3
    for sentence in answer["sentences"]:
        words = re.findall(r"\w+", sentence["text"])
        assert "Mädchen" in words and {"Straße", "Garten"} & set(words)
        assert words[0][0].isupper() and sentence["text"][-1] in ".!?"
        assert 8 <= len(words) <= 26


def test_lengths_are_words_and_the_closing_mark_is_none(url: str) -> None:
    for sentence in ask(url, keywords=["Mädchen", "Haus"], length={"min": 5, "max": 6})["sentences"]:
        assert 5 <= len(re.findall(r"\w+", sentence["text"])) <= 6
    (fault,) = post(url, "sentences", 422, keywords=["Mädchen", "Haus"], language="de", length={"max": 1})["errors"]
    assert "1 words cannot hold the keywords, which take at least 2" in fault["message"]


def test_a_forbidden_word_is_a_whole_word(url: str) -> None:
    for sentence in ask(url, keywords=["Hausboot"], forbidden=["haus", "das"])["sentences"]:
        assert not {"haus", "das"} & set(re.findall(r"\w+", sentence["text"].lower()))
    (fault,) = post(url, "sentences", 422, keywords=["Das Haus"], forbidden=["haus"], language="de")["errors"]
    assert fault["code"] == "forbidden-keyword"


def test_a_quote_that_closes_may_stand_before_a_comma(url: str) -> None:
    """No more words have room, so commas alone are inserted."""
    wandering = {"kind": "metropolis", "beta": 0.1, "chains": 8, "steps": 200}
    answer = ask(url, keywords=["„Haus“", "Garten"], ordered=True, length={"max": 2}, sampler=wandering)
    assert any("“," in sentence["text"] for sentence in answer["sentences"])


def test_scores_are_those_of_the_sampler(url: str) -> None:
    sentence = ask(url, keywords=["Äpfel"])["sentences"][0]
    answer = post(url, "score", texts=[sentence["text"]], language="de")
    (entry,) = answer["scores"]
    assert (entry["language"], entry["vocabulary"], entry["context"]) == ("de", "de", German.opening)
    assert entry["log_prob"] == pytest.approx(sentence["log_prob"], abs=1e-3)
    assert entry["text"].endswith(entry["tokens"][-1])


def test_what_the_mask_lacks_takes_the_wide_one(url: str) -> None:
    (entry,) = post(url, "score", texts=["Das Haus / Das Mädchen."], language="de")["scores"]
    assert (entry["language"], entry["vocabulary"]) == ("de", "de-wide")


def test_auto_takes_no_text_for_german_which_claims_none(url: str) -> None:
    entries = post(url, "score", texts=["Das Mädchen.", "the dog.", "今天。"])["scores"]
    assert [entry["language"] for entry in entries] == ["en", "en", "zh"]


def test_a_language_that_is_unknown_is_told_all_that_are(url: str) -> None:
    for path, body in (("sentences", {"keywords": ["dog"]}), ("score", {"texts": ["dog"]})):
        (fault,) = post(url, path, 422, language="fr", **body)["errors"]
        assert (fault["field"], fault["code"]) == ("language", "unknown-value")
        assert fault["remedy"] == "give one of 'zh', 'en', 'de' or 'auto'"


def test_a_han_character_is_likelier_a_forgotten_language(url: str) -> None:
    (fault,) = post(url, "sentences", 422, keywords=["公园"], language="de")["errors"]
    assert "in the German vocabulary" in fault["message"]
    assert fault["remedy"] == 'set language to "zh" or "auto"'
    (fault,) = post(url, "sentences", 422, keywords=["公 园"], language="de")["errors"]
    assert "white space between Chinese characters" in fault["message"]


def test_schemas_and_models_name_it(url: str) -> None:
    schemas = httpx.get(f"{url}/openapi.json", trust_env=False, timeout=300).json()["components"]["schemas"]
    assert schemas["SentencesRequest"]["properties"]["language"]["enum"] == ["zh", "en", "de", "auto"]
    assert schemas["TextScore"]["properties"]["language"]["enum"] == ["zh", "en", "de"]
    length = schemas["Length"]["properties"]
    assert "max(120, 2k + 60) characters for German, max(20, 2k + 10) words" in length["max"]["description"]
    assert length["unit"]["description"].endswith("characters for Chinese, words for English, words for German")
    forbidden = schemas["SentencesRequest"]["properties"]["forbidden"]["description"]
    assert "as whole words in English and German, as any substring in Chinese" in forbidden
    (model,) = httpx.get(f"{url}/v1/models", trust_env=False, timeout=300).json()["models"]
    assert {"de", "de-wide"} < set(model["vocabularies"])


def test_it_is_known_to_that_process_alone() -> None:
    assert list(LANGUAGES) == ["zh", "en"]
