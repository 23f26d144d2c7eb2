"""First states of blanks with patterns: what matches is laid into them, since single tokens may lead to no match."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.tasks.sampling.pattern import compiled
from app.web.codes import Code
from app.web.problems import invalid
from models.language.vocabulary import Vocabulary
from samplers.first_states import KeywordBlocks
from samplers.patterns.skeleton import Skeletons
from samplers.run import generators
from samplers.state import State

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """What is laid into a blank.

    Attributes:
        keywords: numbers of its blocks.
        forms: of these.
        matching: draws a sentence of the pattern with the keywords, numbered from 0; None without a pattern.
    """

    keywords: range
    forms: Sequence[Sequence[Tokens]]
    matching: Callable[[np.random.Generator], State | None] | None = None

    def draw(self, rng: np.random.Generator) -> list[tuple[int, Tokens]] | None:
        """Its tokens with their owners; None if nothing that matches was found."""
        if self.matching is None:
            return [(number, form[0]) for number, form in zip(self.keywords, self.forms, strict=True)]
        if (found := self.matching(rng)) is None:
            return None
        owners = (owner if owner < 0 else self.keywords[owner] for owner in found.owners[:-1])
        return [(owner, (token,)) for owner, token in zip(owners, found.tokens, strict=False)]


def fill_of(
    pattern: str | None,
    keywords: range,
    forms: Sequence[Sequence[Tokens]],
    vocabulary: Vocabulary,
    end: int,
    spaced: bool,
    field: str,
) -> Fill:
    """What is laid into one blank.

    Args:
        pattern: that all of it matches.
        keywords, forms: of its keywords.
        vocabulary: of the text.
        end: the closing token.
        spaced: whether its first token begins with a space.
        field: of the pattern.

    Raises:
        ProblemError: 422, nothing that matches was found.
    """
    if pattern is None:
        return Fill(keywords, forms)
    closed = compiled(f"({pattern}){re.escape(vocabulary.piece(end))}", vocabulary, field)
    free = [int(token) for token in vocabulary.ids[: vocabulary.interior]]
    first = [token for token in free if not spaced or vocabulary.piece(token).startswith(" ")]
    skeletons = Skeletons(closed, KeywordBlocks(forms, ordered=True, end=end), vocabulary.piece, free, first, [end])
    found = Fill(keywords, forms, skeletons.draw)
    if found.draw(generators(0, 1)[0]) is None:
        raise invalid(
            field,
            Code.INFEASIBLE,
            "nothing that matches it was found with the blank's keywords, and for the rest with words that the model "
            "proposes",
            "let it match them and the spaces between words, and give digits and rare marks as keywords",
        )
    return found


def laid_out(
    segments: Sequence[tuple[int, Tokens] | None], fills: Sequence[Fill], end: int
) -> Callable[[np.random.Generator], State | None]:
    """Draws the text with its blanks filled; None if one has nothing that matches."""

    def draw(rng: np.random.Generator) -> State | None:
        parts: list[tuple[int, Tokens]] = []
        for number, segment in enumerate(segments):
            parts += [segment] if segment is not None else []
            if number < len(fills):
                if (laid := fills[number].draw(rng)) is None:
                    return None
                parts += laid
        return State.assemble(parts, end)

    return draw
