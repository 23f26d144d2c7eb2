"""One sentence of a batch, and the part of it that is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.work import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One sentence to score.

    Attributes:
        work: the request that it belongs to.
        tokens: the sentence.
        base: the sentence that it edits, the empty one if none.
        shared: first position at which the two differ, before the last of either.
        kept: tokens whose keys and values need no forward.
    """

    work: Scores
    tokens: tuple[int, ...]
    base: ScoredSentence
    shared: int = 0
    kept: int = 0

    @classmethod
    def of(cls, work: Scores, place: int) -> Self:
        """Sentence ``place`` of a request."""
        tokens, base = work.sentences[place], work.bases[place] or work.context.root
        limit = min(len(tokens), max(len(base.tokens), 1)) - 1
        shared = 0
        while shared < limit and tokens[shared] == base.tokens[shared]:
            shared += 1
        return cls(work, tokens, base, shared, shared if base.kv is not None else 0)

    @property
    def fed(self) -> tuple[int, ...]:
        """Tokens of which keys and values are new; the closing token predicts nothing."""
        return self.tokens[self.kept : -1]
