"""Requests for the model: sentences to score, and proposals to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch

from models.language.forward.masked_output import MaskedOutput
from models.language.forward.proposals import draw
from models.language.scoring.kv_cache import Context, ScoredSentence, Usage
from samplers.language import ProposalQuery, ProposalReply

if TYPE_CHECKING:
    from models.language.scoring.scorer import CausalScorer


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Sentences to score under one context; those of many requests share a forward.

    Attributes:
        scorer: of the model.
        context: the text that every sentence continues.
        output: the vocabulary.
        sentences: token ids of each.
        bases: for each a scored sentence that it edits, under the same context and vocabulary, or None.
        usage: where the work is booked; a forward counts for every request that had a part in it.

    Raises:
        ValueError: an empty sentence, a token outside the vocabulary, or counts that differ.
    """

    scorer: CausalScorer
    context: Context
    output: MaskedOutput
    sentences: Sequence[tuple[int, ...]]
    bases: Sequence[ScoredSentence | None]
    usage: Usage = field(default_factory=Usage)
    rank: ClassVar[int] = 1  # after proposals, which then join them

    def __post_init__(self) -> None:
        if len(self.sentences) != len(self.bases):
            raise ValueError(f"{len(self.sentences)} sentences and {len(self.bases)} bases")
        vocabulary = self.output.vocabulary
        for tokens in self.sentences:
            if not tokens:
                raise ValueError("a sentence needs at least one token")
            for token in tokens:
                if token not in vocabulary.local:
                    raise ValueError(f"token {token} is outside the vocabulary {vocabulary.name!r}")

    @property
    def kind(self) -> object:
        """Scores by one model run together, whatever their contexts and vocabularies."""
        return self.scorer

    @property
    def cost(self) -> int:
        """Tokens of all the sentences; less when prefixes are kept."""
        return sum(map(len, self.sentences))

    def run(self, together: Sequence[Scores]) -> list[list[ScoredSentence]]:
        """One forward for all."""
        return self.scorer.score_together(together)


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Proposals to draw, one for each query at the scored sentence beside it.

    Raises, when run:
        ValueError: see :func:`models.language.forward.proposals.draw`.
    """

    output: MaskedOutput
    scored: Sequence[ScoredSentence]
    queries: Sequence[ProposalQuery]
    rank: ClassVar[int] = 0  # before scores: they take a tenth of the time

    @property
    def kind(self) -> object:
        """Proposals over one vocabulary run together."""
        return self.output

    @property
    def cost(self) -> int:
        """One product with the output layer for each, about as dear as a token."""
        return len(self.queries)

    @torch.inference_mode()
    def run(self, together: Sequence[Proposals]) -> list[list[ProposalReply]]:
        """One product with the output layer for all."""
        pairs = [pair for work in together for pair in zip(work.scored, work.queries, strict=True)]
        hidden = [scored.hidden[query.position] for scored, query in pairs]
        replies = iter(draw(self.output, hidden, [query for _, query in pairs]))
        return [[next(replies) for _ in work.queries] for work in together]
