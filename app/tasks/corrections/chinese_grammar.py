"""Single edits that may mend a Chinese text: words missing, redundant, in another's place or in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

import rjieba

from app.languages.registry import LANGUAGES
from app.tasks.corrections.edits import Edit
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.proposals import Place, Proposal, Proposing, Way
from models.confusions.characters import CHARACTERS, SIMPLIFIED, TRADITIONAL
from models.confusions.words import most_frequent

FUNCTION_WORDS = 120
"""Function words that may be missing or stand for one another: the most frequent."""
LEAST = -5.0
"""Log-prob that a token has at least where it is missing or stands for another, in nats."""
BEHIND = 1.0
"""How much less likely than the token that stands there it is at most, in nats."""
LIKELIEST = 2
"""Tokens of at most two characters that may be missing at a place, whatever they are: the likeliest."""
LONGEST_LEFT_OUT = 2
"""Characters of the longest word that is left out."""
LONGEST_REPEATED = 4
"""Characters written twice that are left out once."""
MARKS = "，。、"
"""Marks that are written for one another; the first may be missing."""
NO_COMMA_AFTER, NO_COMMA_BEFORE = "，。、；：！？“《（", "，。、；：！？”》）"
UNEXPECTED = -12.0
"""Log-prob that stands for that of any token which is not among the likeliest, in nats."""
_NOWHERE = Place(0, 0, 0.0, ())
_TRADITIONAL_ONLY = TRADITIONAL - SIMPLIFIED


@cache
def _function_words() -> frozenset[str]:
    return frozenset(most_frequent(LANGUAGES["zh"].function_words)[:FUNCTION_WORDS])


def propose(of: Proposing) -> list[Proposal]:
    """The single edits, one a change; of those that change the same the one that is likeliest at its place."""
    script = TRADITIONAL if not _TRADITIONAL_ONLY.isdisjoint(of.text) else SIMPLIFIED
    found: dict[tuple[int, int, str], Proposal] = {}
    for start, end, new, kind, way, (row, given) in _drafts(of):
        cut = _cut(of.text, start, end, new)
        if cut is None:
            continue
        start, end, new = cut
        words = CHARACTERS.issuperset(of.text[start:end]) and script.issuperset(new)
        if not (words or kind == "punctuation") or any(first < end and start < last for first, last in of.kept):
            continue
        if (known := found.get(cut)) is None or known.row < row:
            found[cut] = Proposal(Edit(start, end, new, kind), way, row, given)
    return list(found.values())


Draft = tuple[int, int, str, Kind, Way, tuple[float, float]]
"""From where to where, what stands there instead, its kind, its way, and the log-probs of a proposal."""


def _drafts(of: Proposing) -> Iterator[Draft]:
    text, places = of.text, {place.start: place for place in of.places}
    for place in of.places:
        for new, log_prob in place.likeliest:
            for start, end, written, kind, way in _expected(text, place, new, log_prob):
                yield start, end, written, kind, way, (log_prob, place.log_prob)
    edges = [0]
    for word in rjieba.cut(text):
        edges.append(edges[-1] + len(word))
    for start, end, new, kind, way in (*_left_out(text, edges), *_reordered(text, edges)):
        place = places.get(start, _NOWHERE)
        row = _log_prob(place, new + text[end:])
        if row > UNEXPECTED or way not in ("omitted", "reordered"):
            yield start, end, new, kind, way, (row, place.log_prob)


def _log_prob(place: Place, text: str) -> float:
    """Of the likeliest token that a text may begin with; :data:`UNEXPECTED` if it is none of the likeliest ones."""
    return next((log_prob for token, log_prob in place.likeliest if text.startswith(token)), UNEXPECTED)


def _expected(text: str, place: Place, new: str, log_prob: float) -> Iterator[tuple[int, int, str, Kind, Way]]:
    """What an expected token may stand for at a place."""
    start, end = place.start, place.end
    old, function_words = text[start:end], _function_words()
    if new in MARKS and old in MARKS:
        yield start, end, new, "punctuation", "punctuated"
    if log_prob < max(LEAST, place.log_prob - BEHIND):
        return
    if new == MARKS[0] and start and text[start - 1] not in NO_COMMA_AFTER and old[0] not in NO_COMMA_BEFORE:
        yield start, start, new, "punctuation", "inserted"
    if not CHARACTERS.issuperset(new):
        return
    likely = len(new) <= 2 and new in [other for other, _ in place.likeliest[:LIKELIEST]]
    if likely or new in function_words:
        yield start, start, new, "missing", "inserted"
    if new in function_words and old in function_words and not (old.startswith(new) or new.startswith(old)):
        yield start, end, new, "function_word", "exchanged"
    for length in range(1, min(len(new), len(text) - start + 1)):
        following = text[start : start + length]
        if new.endswith(following) or new.startswith(following):
            yield start, start + length, new, "missing", "completed"
    if old.startswith(new):
        yield start, end, new, "redundant", "shortened"


def _left_out(text: str, edges: Sequence[int]) -> Iterator[tuple[int, int, str, Kind, Way]]:
    for start, end in pairwise(edges):
        if end - start <= LONGEST_LEFT_OUT:
            function_word = text[start:end] in LANGUAGES["zh"].function_words
            yield start, end, "", "redundant", "left_out" if function_word else "omitted"
    for start, character in enumerate(text):
        if character in _function_words():
            yield start, start + 1, "", "redundant", "left_out"
        for length in range(1, LONGEST_REPEATED + 1):
            if start + 2 * length <= len(text) and text.startswith(text[start : start + length], start + length):
                yield start, start + length, "", "redundant", "repeated"


def _reordered(text: str, edges: Sequence[int]) -> Iterator[tuple[int, int, str, Kind, Way]]:
    for start, middle, end in zip(edges, edges[1:], edges[2:], strict=False):
        yield start, end, text[middle:end] + text[start:middle], "reordered", "reordered"


def _cut(text: str, start: int, end: int, new: str) -> tuple[int, int, str] | None:
    """The change without what stays the same at both ends; None if nothing changes."""
    while start < end and new and text[start] == new[0]:
        start, new = start + 1, new[1:]
    while start < end and new and text[end - 1] == new[-1]:
        end, new = end - 1, new[:-1]
    return (start, end, new) if start < end or new else None
