"""One sentence of a batch, and what of it is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from models.language.forward.masked_output import Head
from models.language.scoring.kv_cache import Context, ScoredSentence, ScoreWork


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One sentence to score.

    Attributes:
        job, place: where it came from.
        tokens: the sentence.
        base: what it edits, the empty sentence if nothing.
        shared: first position at which the two differ, before the last of either.
        kept: tokens whose keys and values need no forward.
    """

    job: int
    place: int
    context: Context
    head: Head
    tokens: tuple[int, ...]
    base: ScoredSentence
    shared: int
    kept: int

    @classmethod
    def of(cls, number: int, place: int, job: ScoreWork) -> Self:
        """Sentence ``place`` of a job, the ``number``-th of its batch."""
        tokens, base = job.sentences[place], job.bases[place] or job.context.root
        limit = min(len(tokens), max(len(base.tokens), 1)) - 1
        shared = 0
        while shared < limit and tokens[shared] == base.tokens[shared]:
            shared += 1
        kept = shared if base.store is not None else 0
        return cls(number, place, job.context, job.head, tokens, base, shared, kept)

    @classmethod
    def whole(cls, number: int, place: int, job: ScoreWork, tokens: tuple[int, ...]) -> Self:
        """A sentence to be read from its start."""
        return cls(number, place, job.context, job.head, tokens, job.context.root, 0, 0)

    @property
    def fed(self) -> tuple[int, ...]:
        """Tokens of which keys and values are new; the closing token predicts nothing."""
        return self.tokens[self.kept : -1]
