"""Proposals: single edits of a text that may mend it, by what a language model expects at each place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from app.tasks.corrections.edits import Edit
from models.language.vocabulary import Vocabulary

Way = Literal[
    "inserted", "completed", "left_out", "shortened", "repeated", "omitted", "exchanged", "reordered", "punctuated"
]
"""How an edit is made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a text where a token begins and ends between characters.

    Attributes:
        start, end: of the token, in characters.
        log_prob: of the token, in nats.
        likeliest: other tokens' texts with their log-probs, the likeliest first.
    """

    start: int
    end: int
    log_prob: float
    likeliest: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A single edit that may mend a text.

    Attributes:
        edit: the edit.
        way: how it is made.
        row: log-prob, at its place, of the token that suggested it, in nats; 0 if none did.
        given: that of the token that stands there.
    """

    edit: Edit
    way: Way
    row: float = 0.0
    given: float = 0.0


@dataclass(frozen=True, slots=True)
class Proposing:
    """What single edits of a text are proposed from.

    Attributes:
        text: the text.
        places: where its tokens begin.
        kept: pieces that stay as they are: from where to where.
    """

    text: str
    places: Sequence[Place]
    kept: Sequence[tuple[int, int]]


Propose = Callable[[Proposing], Iterable[Proposal]]


def nothing(of: Proposing) -> Iterable[Proposal]:
    """No edits: of a language whose lattices have all of its kinds."""
    return ()


def places_of(
    tokens: Sequence[int],
    log_probs: Iterable[float],
    rows: Iterable[Iterable[tuple[int, float]]],
    vocabulary: Vocabulary,
) -> list[Place]:
    """The places of a text, but for tokens that are a part of a character.

    Args:
        tokens: that write the text.
        log_probs: theirs.
        rows: at each, the likeliest tokens with their log-probs, the likeliest first.
        vocabulary: of the tokens.
    """
    found: list[Place] = []
    at, parts = 0, b""
    for token, log_prob, row in zip(tokens, log_probs, rows, strict=True):
        if (part := vocabulary.byte_pieces.get(token)) is not None:
            parts += part
            with suppress(UnicodeDecodeError):
                at, parts = at + len(parts.decode()), b""
            continue
        end = at + len(vocabulary.piece(token))
        others = [(vocabulary.piece(o), its) for o, its in row if o != token and o not in vocabulary.byte_pieces]
        found.append(Place(at, end, log_prob, others))
        at = end
    return found
