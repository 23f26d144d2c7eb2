"""What sounds or looks alike, and which characters make words."""

from __future__ import annotations

import pytest

from models.confusions.characters import CHARACTERS, SIMPLIFIED, TRADITIONAL
from models.confusions.pinyin import homophones, near_homophones, similar, syllables
from models.confusions.shapes import lookalikes
from models.confusions.variants import variants
from models.confusions.words import Lexicon, lexicon


def test_the_scripts_have_the_characters_of_their_encodings() -> None:
    assert "頭" in TRADITIONAL - SIMPLIFIED and "头" in SIMPLIFIED - TRADITIONAL


def test_a_character_has_all_its_readings() -> None:
    assert {"zhong", "chong"} <= syllables("重") and syllables("女") >= {"nv"} and syllables("，") == frozenset()


@pytest.mark.parametrize(("one", "other"), [("zi", "zhi"), ("nan", "lan"), ("nu", "nv"), ("ying", "yin")])
def test_syllables_that_are_easily_confused(one: str, other: str) -> None:
    assert similar(one, other) and similar(other, one) and not similar(one, one)


@pytest.mark.parametrize(("one", "other"), [("ma", "guo"), ("shi", "lan"), ("ban", "hui")])
def test_syllables_that_are_not(one: str, other: str) -> None:
    assert not similar(one, other)


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [(homophones, "圆园 户护 券权"), (near_homophones, "奴女 应因"), (lookalikes, "冶治 末未 真直 官宫 木术 问间")],
    ids=["homophones", "near_homophones", "lookalikes"],
)
def test_of_each_kind_those_that_people_write(kind, pairs: str) -> None:  # type: ignore[no-untyped-def]
    missing = [pair for pair in pairs.split() if pair[1] not in kind(pair[0]) or pair[0] not in kind(pair[1])]
    assert missing == []


def test_kinds_are_symmetrical_and_leave_a_character_itself_out() -> None:
    for character in sorted(CHARACTERS)[::500]:
        for kind in (homophones, near_homophones, lookalikes):
            others = kind(character)
            assert character not in others
            assert all(character in kind(other) for other in sorted(others)[:20])
        assert homophones(character).isdisjoint(near_homophones(character))


def test_any_character_may_be_asked_for() -> None:
    """Rare ones, whose parts the tables know little of, and those that are none."""
    for character in ["紥", "\U00070d89", "\ue000", *map(chr, range(0x3400, 0xA000, 41))]:
        assert all(character not in kind(character) for kind in (homophones, near_homophones, lookalikes, variants))


def test_a_lexicon_finds_what_completes_words() -> None:
    words = Lexicon(iter(["公园", "花园", "公家", "动物园"]))
    assert words.completing("公圆", 1) == {"园", "家"}
    assert words.completing("动物圆里", 2) == {"园"}
    assert words.completing("工园", 0) == {"公", "花"}
    assert words.completing("园", 0) == words.completing("", 0) == frozenset()


def test_the_dictionary_has_common_words() -> None:
    assert "园" in lexicon().completing("去公圆散步", 2) and "护" in lexicon().completing("保户", 1)
