"""What of a text stays as it is: words asked for, numbers, names, and how often it says no."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import rjieba

from app.languages.base import Language
from samplers.constraints.words import occurrences
from samplers.spans import Span

Kind = Literal["numbers", "negations", "names"]
"""Kinds of words that are kept unless a request lets go of them."""
KINDS: tuple[Kind, ...] = get_args(Kind)

_FIGURE = re.compile(r"\d+(?:[.,:/]\d+)*(?:[多余来]?[十百千万亿]+)?")
_NUMERAL = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|half|twice|first|second|third|dozen)s?\b",
    re.IGNORECASE,
)
_HAN_NUMERAL = re.compile(r"第[一二三四五六七八九十百千万\d]+|[零〇一二两三四五六七八九十百千万亿半\d.%]+[^\W\d]?")
_NO_NUMBER = frozenset(
    ["一起", "一些", "一点", "一下", "一样", "一般", "一直", "一切", "一定", "万一", "一", "一个", "半天", "千万"]
)
"""Chinese words that jieba tags as numerals and that tell no number."""
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|nowhere|none|neither|nor|cannot|without)\b|n['’]t\b", re.IGNORECASE
)
_HAN_NEGATION = re.compile(r"[不没未无非别勿莫]")
_NO_NEGATION = re.compile(
    "不(?:过|但|仅|仅仅|断|管|论|如|同|久|禁|妨|愧|得不)|无(?:论|论如何|非)|非常|莫非|别[人的]|[差分特级性区个]别"
)
"""Chinese words that deny nothing though a character of theirs does."""
_CAPITALISED = re.compile(r"[^\W\d_a-z][^\W\d_]*")


def numbers(text: str) -> list[str]:
    """The numbers of a text, in figures and in words."""
    return [text[start:stop].lower() for start, stop in number_spans(text)]


def number_spans(text: str) -> list[Span]:
    """Where the numbers of a text stand: figures, English numerals, and what jieba tags as a Chinese one."""
    spans = [match.span() for pattern in (_FIGURE, _NUMERAL) for match in pattern.finditer(text)]
    for start, stop in _words(text, lambda word, tag: tag in ("m", "mq", "t") and word not in _NO_NUMBER):
        found = _HAN_NUMERAL.match(text, start, stop)
        # jieba cuts 1.94亿次 into 1.94 and 亿次.
        if found and not text[start:stop].isascii() and not any(a < found.end() and start < b for a, b in spans):
            spans.append(found.span())
    return sorted(spans)


def negations(text: str) -> list[str]:
    """One entry for each negation of a text, whatever its word: not and never count alike."""
    denied = _words(
        text, lambda word, tag: _NO_NEGATION.fullmatch(word) is None and _HAN_NEGATION.search(word) is not None
    )
    return ["not"] * (len(denied) + len(_NEGATION.findall(text)))


def name_spans(text: str, language: Language) -> list[Span]:
    """Where the names of a text stand: in Chinese by jieba's tags, elsewhere capitals that open no sentence."""
    if not language.words_apart:
        return _words(text, lambda word, tag: tag in ("nr", "ns", "nt", "nz", "nrt", "nrfg") or word.isascii())
    return [
        (start, stop)
        for start, stop in language.word_spans(text)
        if _CAPITALISED.match(text[start:stop])
        and text[start:stop] not in ("I", "I'm", "I've", "I'll", "I'd")
        # At the opening a capital is no sign of a name, unless it is one of several.
        and (text[:start].rstrip()[-1:] not in ("", ".", "!", "?", ":") or not text[start + 1 : stop].islower())
    ]


def word_spans(word: str, text: str, language: Language) -> list[Span]:
    """Where a word asked for stands, as a whole word where words are written apart; letter case counts."""
    edges = language.edges(text) if language.words_apart else frozenset(range(len(text) + 1))
    return list(occurrences(word, text, edges))


def kept_spans(text: str, language: Language, words: Sequence[str], kinds: Iterable[Kind]) -> list[Span]:
    """Where stands what may not change; negations may, as long as there are as many."""
    spans = [span for word in words for span in word_spans(word, text, language)]
    spans += number_spans(text) if "numbers" in kinds else []
    return sorted([*spans, *(name_spans(text, language) if "names" in kinds else [])])


def _words(text: str, chosen: Callable[[str, str], bool]) -> list[Span]:
    """Those of jieba's words of a text that have a Han character and are chosen by their text and tag."""
    spans: list[Span] = []
    at = 0
    for word, tag in rjieba.tag(text):
        if any(each.isalnum() for each in word) and chosen(word, tag):
            spans.append((at, at + len(word)))
        at += len(word)
    return spans
