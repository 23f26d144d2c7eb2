"""Spans of a passage that may answer a question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import regex

from models.text.normalisation import normalise_name

LONGEST = 60
"""Characters of a span by default, at most."""

_CLUSTER = regex.compile(r"\X")
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
"""Scripts that write no spaces between words, or not between words alone, as classes of a pattern."""
_RUN = regex.compile(
    rf"(?V1)[[\p{{L}}\p{{M}}]--[{UNSPACED}]]+(?:['’][[\p{{L}}\p{{M}}]--[{UNSPACED}]]+)*|\d+(?:[.,:/]\d+)*"
)
"""A word of a script that writes spaces between them, or a number with the marks between its digits."""
_ENDS_SENTENCE = frozenset("。！？!?…\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
"""No span goes over one: a full stop may be of an abbreviation, these are not."""
_SENTENCE_END = regex.compile(r"[。！？!?…\n\r\x85\u2028\u2029]+[”’」』\"]*|(?<=[^\s.]{2})\.(?=\s|$)")
_NEVER_OUTER = frozenset(",;:，、；：·|~")
"""Marks between things: no span begins or ends with one."""
_BRACKETS = {
    pair[1]: pair[0] for pair in ("()", "[]", "{}", "（）", "【】", "《》", "〈〉", "「」", "『』", "“”", "«»")
}
"""What opens each closing bracket or quotation mark, those left out that serve as apostrophes too."""
_OPENING = frozenset(_BRACKETS.values())


class Span(NamedTuple):
    """Characters of a passage: from ``start`` to before ``end``."""

    start: int
    end: int


def spans_of(passage: str, longest: int = LONGEST) -> Iterator[Span]:
    """Spans that may be answers, by where they begin, the shortest first.

    A span begins and ends at the edge of a grapheme cluster, of a word in scripts that space their words, and of a
    number; holds no line break, no mark that ends a sentence, and of each bracket or quotation mark both or none; and
    has neither white space, nor what is invisible, nor a mark between things at its ends.

    Args:
        passage: as given, in any form.
        longest: characters of a span, at most.
    """
    edges = _edges(passage)
    borders = sorted(edges)
    for first, start in enumerate(borders[:-1]):
        if not _may_begin(passage[start]):
            continue
        open_: list[str] = []
        at = start
        for end in borders[first + 1 :]:
            if end - start > longest:
                break
            if not _balance(passage[at:end], open_):
                break
            at = end
            if not open_ and _may_end(passage, start, end):
                yield Span(start, end)


def sentences_of(passage: str) -> list[Span]:
    """The sentences of a passage, end to end."""
    stops = [match.end() for match in _SENTENCE_END.finditer(passage)]
    stops += [len(passage)] if len(passage) > (stops[-1] if stops else 0) else []
    return [Span(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]


def key_text(text: str) -> str:
    """A span as the model writes it: spans that differ in their spelling alone have one key."""
    return normalise_name(text)


def _edges(passage: str) -> set[int]:
    """Offsets at which a span may begin or end."""
    edges = {match.start() for match in _CLUSTER.finditer(passage)} | {len(passage)}
    for run in _RUN.finditer(passage):
        edges.difference_update(range(run.start() + 1, run.end()))
    return edges


def _balance(added: str, open_: list[str]) -> bool:
    """Take in what a span grows by; whether it may go on."""
    for character in added:
        if character in _ENDS_SENTENCE:
            return False
        if character == '"':
            open_.pop() if open_ and open_[-1] == '"' else open_.append('"')
        elif character in _OPENING:
            open_.append(character)
        elif character in _BRACKETS and (not open_ or open_.pop() != _BRACKETS[character]):
            return False
    return True


def _shown(character: str) -> bool:
    return character.isalnum() or bool(key_text(character))


def _abbreviated(last: list[str]) -> bool:
    """Whether a full stop after a last word belongs to it: to one letter, or to short parts between full stops."""
    parts = [part for word in last for part in word.split(".")]
    return all(part.isalpha() and len(part) <= 3 for part in parts) and (len(parts) > 1 or len("".join(parts)) == 1)


def _may_begin(character: str) -> bool:
    return character not in _NEVER_OUTER and character not in ".'’‘-–—" and _shown(character)


def _may_end(passage: str, start: int, end: int) -> bool:
    last = passage[end - 1]
    if last == ".":
        return _abbreviated(passage[start : end - 1].split()[-1:])
    return last not in _NEVER_OUTER and last not in "-–—" and _shown(last)
