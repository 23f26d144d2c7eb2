"""The one form of a text, whichever way it was typed or stored."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.text.normalisation import normalise, normalise_name


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Cafe\u0301", "Caf\u00e9"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("ＡＩ手机 ５Ｇ", "AI手机 5G"),
        ("％（１），。", "％（1），。"),
        ("a\u00a0b\u3000c\u2009d", "a b c d"),
        ("\ufeff长\u200b夜\u00ad\u200e", "长夜"),
        ("Ａ\u0301", "Á"),
        ("A\u200b\u0301", "Á"),
        ("公\u200d园", "公园"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("line\u2028separator", "line\u2028separator"),
    ],
)
def test_what_becomes_of_a_text(text: str, normal: str) -> None:
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("name", "normal"),
    [(" New\u00a0 York\t City\n", "New York City"), ("\u3000上海\u3000", "上海"), ("\u200b \ufeff", "")],
)
def test_outer_white_space_of_a_name_goes_and_inner_is_one_space(name: str, normal: str) -> None:
    assert normalise_name(name) == normal


def test_every_space_becomes_the_plain_one_and_no_format_character_but_visible_ones_stays() -> None:
    for code in range(0x110000):
        character = chr(code)
        match unicodedata.category(character):
            case "Zs":
                assert normalise(character) == " ", hex(code)
            case "Cf":
                shown = code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)
                laid_out = 0x13430 <= code <= 0x1343F
                assert normalise(character) == (character if shown or laid_out else ""), hex(code)


@given(st.text())
@example("👨\u200d ")
@example("👨\u200d\u200dx")
@example("\u200b\r\u200b\n")
def test_a_normal_form_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert normalise_name(normalise_name(text)) == normalise_name(text) == normalise_name(normalise(text))
