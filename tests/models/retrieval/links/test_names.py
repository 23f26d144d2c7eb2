"""Names of an index in texts."""

from __future__ import annotations

import pytest

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.links import names
from models.retrieval.links.names import Name
from tests.models.retrieval.families import decode, encode
from tests.models.retrieval.links import letters


def found(text: str, *keys: str) -> list[tuple[int, int, str, list[str]]]:
    return [_shown(name) for name in letters.finder(letters.index(keys or letters.KEYS)).of(text)]


def _shown(name: Name) -> tuple[int, int, str, list[str]]:
    return (name.start, name.stop, decode(name.tokens), [decode(entity.meaning) for entity in name.entities])


def test_every_place_counts_and_no_word_is_cut() -> None:
    assert found("ab, ab (c) abx ab-abde xab") == [
        (0, 2, "ab", [""]),
        (4, 6, "ab", [""]),
        (8, 9, "c", ["x", "y"]),
        (15, 17, "ab", [""]),
        (18, 22, "abde", [""]),
    ]
    assert found("") == [] and found(" ") == []


def test_a_meaning_in_brackets_is_of_the_name() -> None:
    assert found("c（y） c(x) c（z）") == [(0, 4, "c", ["y"]), (5, 9, "c", ["x"]), (10, 11, "c", ["x", "y"])]
    (name,) = letters.finder(letters.index()).of("c(x)")
    assert [decode(entity.meaning) for entity in name.others] == ["y"]


def test_keys_of_one_part_are_names() -> None:
    finder = letters.finder(letters.index(("ab", "abde")), KeyFormat())
    assert [_shown(name)[:3] for name in finder.of("ab abd abde")] == [(0, 2, "ab"), (7, 11, "abde")]


def test_an_index_without_keys_has_no_names() -> None:
    assert letters.finder(letters.index(())).of("ab") == []


@pytest.mark.parametrize("most", [1, 2])
def test_of_many_keys_some_are_told_apart(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MAX_KEYS", most)
    name, *_ = letters.finder(letters.index()).of("c ab")
    assert sum(len(entity.keys) for entity in name.entities) == most and not name.whole


def test_names_are_found_where_roots_are_too_many_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "ab c abde"
    few = found(text)
    monkeypatch.setattr(names, "MOST_ROOTS", 1)
    assert found(text) == few


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("Swiss franc", True), ("swiss Franc", False), ("SWISS FRANC", False), ("Côte d'Ivoire", True)],
)
def test_later_words_may_be_small_and_apostrophes_straight(text: str, spelled: bool) -> None:
    assert ({"Swiss Franc", "Côte d’Ivoire"} & set(names._spellings(text)) != set()) is spelled


def test_spans_of_long_texts_are_bounded() -> None:
    """A text of Han characters has so many spans a character at most."""
    spans = list(names._spans("天" * 500, {"天"}))
    assert len(spans) <= 500 * names.LONGEST_UNSPACED
    assert encode("ab") == [5, 6]
