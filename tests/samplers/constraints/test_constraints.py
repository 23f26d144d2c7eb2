"""Constraints: whole words, order, forbidden words, lengths, punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.constraints.capitals import CapitalForms
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds, characters
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.opening import CapitalOpening
from samplers.constraints.phrases import WholePhrases
from samplers.constraints.punctuation import TidyPunctuation
from samplers.constraints.words import occurrences, segmented_boundaries, spaced_boundaries
from samplers.spans import Decode, keyword_spans
from samplers.state import END, FREE, State
from samplers.target import Target

STATE = State((1, 2, 9), (FREE, FREE, END))
LOG_PROBS = np.array([-2.0, -1.5, -0.5])


def written(*pieces: str) -> tuple[State, str, Decode]:
    """A sentence of these pieces, the last of which closes it, those in double brackets keywords; and its decoding."""
    texts: list[str] = []
    owners: list[int] = []
    for keyword, piece in enumerate(pieces):
        block = piece[2:-2].split("+") if piece.startswith("[[") else None
        texts += [piece] if block is None else block
        owners += [FREE] if block is None else [keyword] * len(block)
    state = State(tuple(range(len(texts))), (*owners[:-1], END))

    def decode(tokens: Sequence[int]) -> str:
        return "".join(texts[token] for token in tokens).strip()

    return state, decode(state.tokens), decode


WORDS = re.compile("办公园区|公园|办公|园区|散步|今天|在|.")


def cut(text: str) -> list[str]:
    """A segmenter of a few words, longest first."""
    return WORDS.findall(text)


CHINESE = segmented_boundaries(cut)


def missing(text: str, *forms: tuple[str, ...], ordered: bool = False) -> float:
    return AllKeywords(forms, spaced_boundaries, ordered).violation(STATE, text)


@pytest.mark.parametrize(
    ("keyword", "text", "stands"),
    [
        ("art", "a party.", False),
        ("art", "modern art.", True),
        ("art", "artful art-lovers.", True),
        ("art", "art", True),
        ("art", "smart.", False),
        ("art", "the art's value.", False),
        ("don't", "we don't know.", True),
        ("don", "we don't know.", False),
        ("12", "in 123 days.", False),
        ("12", "in 12 days.", True),
        ("B2", "vitamin B2.", True),
        ("new york", "in new york!", True),
        ("new york", "renew york!", False),
        ("été", "cet été.", True),
        ("t", "été.", False),
        ("a", "aaa a.", True),
        ("5G", "a 5G phone.", True),
        ("5G", "a 15G phone.", False),
        ("5", "3.5 per cent.", False),
        ("30", "at 10:30 sharp.", False),
        ("3.5%", "grew 3.5%.", True),
        ("a.m.", "at 9 a.m. sharp.", True),
        ("C++", "in C++ code.", True),
    ],
)
def test_whole_words_of_spaced_scripts(keyword: str, text: str, stands: bool) -> None:
    assert missing(text, (keyword,)) == (not stands)


@pytest.mark.parametrize(
    ("keyword", "text", "stands"),
    [
        ("公园", "今天在公园散步。", True),
        ("公园", "今天在办公园区散步。", False),
        ("公园", "今天在办公园区公园散步。", True),
        ("公园散步", "在公园散步。", True),
        ("园", "在公园散步。", False),
    ],
)
def test_whole_words_of_a_segmenter(keyword: str, text: str, stands: bool) -> None:
    assert AllKeywords(((keyword,),), CHINESE).violation(STATE, text) == (not stands)


def test_a_segmenter_that_loses_text_is_refused() -> None:
    with pytest.raises(ValueError, match="covered 2 of 3"):
        segmented_boundaries(lambda text: text.split())("a b")


@given(st.text(alphabet="ab '’1.é园", max_size=12))
def test_boundaries_lie_in_the_text_and_hold_its_ends(text: str) -> None:
    edges = spaced_boundaries(text)
    assert {0, len(text)} <= edges <= set(range(len(text) + 1))


@given(st.text(alphabet="ab", min_size=1, max_size=3), st.text(alphabet="ab ", max_size=12))
def test_occurrences_are_all_of_them(word: str, text: str) -> None:
    everywhere = frozenset(range(len(text) + 1))
    expected = [(i, i + len(word)) for i in range(len(text)) if text[i : i + len(word)] == word]
    assert list(occurrences(word, text, everywhere)) == expected


def test_every_keyword_counts() -> None:
    assert missing("a cat sat.", ("dog",), ("cat",), ("cow",)) == 2
    assert missing("a cat sat.") == 0


def test_any_form_will_do() -> None:
    assert missing("she ran.", ("run", "ran")) == 0
    assert missing("she runs.", ("run", "ran")) == 1


def test_order() -> None:
    assert missing("cat and dog.", ("dog",), ("cat",)) == 0
    assert missing("cat and dog.", ("dog",), ("cat",), ordered=True) == 1
    assert missing("cat, dog, cat.", ("dog",), ("cat",), ordered=True) == 0
    # The same word twice asks for two places when ordered.
    assert missing("cat.", ("cat",), ("cat",), ordered=True) == 1
    assert missing("cat cat.", ("cat",), ("cat",), ordered=True) == 0
    # The shortest form leaves room for the next keyword.
    assert missing("new york city.", ("new york city", "new york"), ("city",), ordered=True) == 0


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))
def test_order_means_a_subsequence(said: list[str], wanted: list[str]) -> None:
    rest = iter(said)
    subsequence = all(word in rest for word in wanted)
    text = " ".join(said) + "."
    assert (missing(text, *((word,) for word in wanted), ordered=True) == 0) == subsequence


@pytest.mark.parametrize(
    ("words", "whole", "text", "count"),
    [
        (("art",), True, "A party.", 0),
        (("art",), False, "A party.", 1),
        (("ART",), True, "Modern Art.", 1),
        (("art", "party"), False, "A party of art.", 2),
        (("art",), True, "art art art.", 1),
        (("istanbul",), False, "İstanbul art.", 0),
        (("art",), True, "İİİ art.", 1),
        (("art",), True, "İİİ party.", 0),
        ((), True, "art.", 0),
    ],
)
def test_forbidden_words(words: tuple[str, ...], whole: bool, text: str, count: int) -> None:
    assert ForbiddenWords(words, spaced_boundaries if whole else None).violation(STATE, text) == count


def test_forbidden_words_of_a_segmenter() -> None:
    assert ForbiddenWords(("公园",), CHINESE).violation(STATE, "在办公园区。") == 0
    assert ForbiddenWords(("公园",)).violation(STATE, "在办公园区。") == 1


@pytest.mark.parametrize(
    ("minimum", "maximum", "violation"), [(0, None, 0), (3, 3, 0), (4, None, 1), (9, 20, 6), (0, 2, 1), (0, 0, 3)]
)
def test_length_in_tokens(minimum: int, maximum: int | None, violation: int) -> None:
    assert LengthBounds(length_in_tokens, minimum, maximum).violation(STATE, "whatever") == violation


def test_length_in_characters_counts_the_mark_and_no_space() -> None:
    assert characters(STATE, "a cat\u3000sat.") == 8
    assert characters(STATE, "在公园散步。") == 6
    assert LengthBounds(characters, 7).violation(STATE, "在公园散步。") == 1
    assert [LengthBounds(characters, 0, most).exceeded(STATE, "在公园散步。") for most in (5, 6, None)] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "stray"),
    [
        ("A cat sat.", 0),
        ("A cat, and a dog.", 0),
        (", a cat.", 1),
        ("，今天。", 1),
        ("今天，。", 1),
        ("a,, b.", 1),
        ("a, , b.", 1),
        ("a,;: b.", 2),
        ("the dogs'.", 0),
        ("'tis so.", 0),
        (".", 0),
        ("", 0),
    ],
)
def test_punctuation(text: str, stray: int) -> None:
    state, text, decode = written(*(text or " "))
    assert TidyPunctuation(decode).violation(state, text) == stray


@pytest.mark.parametrize(
    ("pieces", "stray"),
    [
        (("他", "[[等+一等+……]]", "走", "。"), 0),
        (("他", "[[等+一等+……]]", "，", "走", "。"), 1),
        (("他", "[[等一等……]]", "。"), 1),
        (("[[《+三体+》]]", "好看", "。"), 0),
        (("我", "看", "，", "[[《三体》]]", "，", "好看", "。"), 0),
        (("[[Who+ am+ I+?]]", " they", " asked", "."), 0),
        ((" They", " asked", "[[ Who+ am+ I+?]]", "."), 1),
        ((" At", "[[ 9+ a+.+m+.]]", ",", " we", " left", "."), 0),
        ((" We", " left", " at", "[[ 9 a.m.]]", "?"), 0),
        ((" We", " left", " at", "[[ 9 a.m.]]", "."), 1),
        (("增长", "[[3+.+5+%]]", "。"), 0),
        (("[[ .+NET]]", " works", "."), 0),
        ((" Yes", ",", "[[ .NET]]", " works", "."), 0),
        (("[[ “+Hi+”]]", ".",), 0),
        (("[[今天]]", "，", "[[……明天]]", "。"), 1),
    ],
)  # fmt: skip
def test_punctuation_inside_a_keyword_is_its_own(pieces: tuple[str, ...], stray: int) -> None:
    state, text, decode = written(*pieces)
    assert TidyPunctuation(decode).violation(state, text) == stray


def test_target_sums_what_is_violated() -> None:
    target = Target(lambda tokens: "a cat.", (LengthBounds(length_in_tokens, 5), ForbiddenWords(("cat",))))
    assert target.violation(STATE) == 3
    assert not target.admits(STATE)
    assert Target(lambda tokens: "a cat.").admits(STATE)


def test_log_density_heats_the_model_alone() -> None:
    assert Target(lambda tokens: "a cat.").log_density(STATE, LOG_PROBS, 9.0, 0.5) == pytest.approx(-2.0 + 9.0)


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("The dog.", 0),
        ("the dog.", 1),
        ("3 dogs.", 0),
        ('"the dog."', 1),
        ("今天。", 0),
        ("Élan.", 0),
        ("élan.", 1),
        ("?", 0),
        ("iPhone sales rose.", 0),
        ("a.m. is early.", 1),
        ("5g is fast.", 0),
    ],
)
def test_capital_opening(text: str, violation: int) -> None:
    assert CapitalOpening().violation(State((1,), (END,)), text) == violation


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("The, dog ran.", 1),
        ("The dog, and, the, cat.", 2),
        ("A house of.", 1),
        ("I, for one, agree.", 1),
        ("The other, gathered, agreed.", 0),
        ("Bathe, dance and sing!", 0),
        ("A .NET app.", 0),
    ],
)
def test_whole_phrases(text: str, violation: int) -> None:
    state, text, decode = written(*text)
    assert WholePhrases(decode).violation(state, text) == violation


@pytest.mark.parametrize(
    ("pieces", "violation"),
    [
        (("[[I+,+ Robot]]", " is", " a", " film", "."), 0),
        (("[[Who+ am+ I+?]]", " asked", " she", "."), 1),
        (("[[ Lord+ of]]", ",", " so", "."), 1),
        ((" the", "[[,+ he]]", "."), 2),
    ],
)
def test_a_phrase_inside_a_keyword_is_its_own(pieces: tuple[str, ...], violation: int) -> None:
    state, text, decode = written(*pieces)
    assert WholePhrases(decode).violation(state, text) == violation


@pytest.mark.parametrize(
    ("pieces", "violation"),
    [
        (("[[ Dogs]]", " run", "."), 0),
        ((" The", "[[ Dogs]]", " run", "."), 1),
        ((" The", "[[ dogs]]", " run", "."), 0),
        (("[[ “+Dogs]]", "."), 0),
    ],
)
def test_a_capital_that_another_form_lacks_opens_the_sentence(pieces: tuple[str, ...], violation: int) -> None:
    state, text, decode = written(*pieces)
    forms = [["x"]] * len(pieces)
    keyword = state.keywords[0]
    forms[keyword] = ["dogs", "Dogs", "“Dogs"]
    assert CapitalForms(forms, decode).violation(state, text) == violation


def test_a_name_with_capitals_alone_stands_anywhere() -> None:
    state, text, decode = written(" In", "[[ Paris]]", ".")
    assert CapitalForms([["x"], ["Paris"]], decode).violation(state, text) == 0
    assert not CapitalForms([["US", "us"], ["Paris"]], decode).applies


def test_spans_of_keywords_in_the_text() -> None:
    state, text, decode = written(" The", "[[ big+ dog]]", " saw", "[[ 5+G]]", ".")
    assert [text[start:stop] for start, stop in keyword_spans(state, decode)] == ["big dog", "5G"]
