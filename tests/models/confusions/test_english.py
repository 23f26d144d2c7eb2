"""English words that are written for one another."""

from __future__ import annotations

import pytest

from models.confusions.english_words import common_alike, known, spelled_alike, split
from models.confusions.inflections import inflections
from models.confusions.words import most_frequent


@pytest.mark.parametrize(
    ("word", "meant"), [("tecnologies", "technologies"), ("becouse", "because"), ("peopel", "people")]
)
def test_a_misspelt_word_is_near_the_one_that_is_meant(word: str, meant: str) -> None:
    assert not known(word) and known(meant)
    assert spelled_alike(word, 2, 8)[0] == meant
    assert len(spelled_alike("form", 2, 8)) == 8 and "form" not in spelled_alike("form", 2, 8)


def test_listed_words_have_common_neighbours() -> None:
    assert {"from", "for"} <= set(common_alike("form", 8))
    assert not set(common_alike("form", 8)) & {"form", "forl"}


def test_two_words_written_as_one_are_split() -> None:
    assert "in order" in split("inorder")
    assert "a lot" in split("alot")
    assert list(split("x")) == []


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("developed", {"develop", "develops", "developing"}),
        ("is", {"am", "are", "was", "were", "be", "been", "being"}),
        ("children", {"child"}),
        ("this", {"these"}),
        ("those", {"that"}),
    ],
)
def test_forms_of_a_word(word: str, forms: set[str]) -> None:
    assert forms <= inflections(word) and word not in inflections(word)
    assert all(word in inflections(form) for form in forms)


def test_chinese_words_by_frequency() -> None:
    assert most_frequent(["葡萄", "不在词典里的", "的", "我们"])[-1] == "不在词典里的"
    assert most_frequent(["葡萄", "我们", "在"]) == ["在", "我们", "葡萄"]
