"""What the batcher runs for requests: scores and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.language.forward.masked_output import Head
from models.language.scoring.kv_cache import ScoredSentence, ScoreWork
from models.language.scoring.scorer import CausalScorer
from samplers.language import ProposalQuery, ProposalReply


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Sentences to score; see :class:`models.language.scoring.kv_cache.ScoreWork`."""

    scorer: CausalScorer
    job: ScoreWork

    @property
    def kind(self) -> object:
        """All scores run together, whatever their contexts and vocabularies."""
        return type(self)

    @property
    def cost(self) -> int:
        """Tokens of all the sentences; less when prefixes are kept."""
        return sum(map(len, self.job.sentences))

    @property
    def rank(self) -> int:
        """After rows, whose proposals then join them."""
        return 1

    def run(self, together: Sequence[Scores]) -> list[list[ScoredSentence]]:
        """One forward for all."""
        return self.scorer.score_jobs([one.job for one in together])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows to draw from; see :func:`models.language.forward.proposals.draw`."""

    scorer: CausalScorer
    head: Head
    scored: Sequence[ScoredSentence]
    queries: Sequence[ProposalQuery]

    @property
    def kind(self) -> object:
        """Rows over one vocabulary run together."""
        return self.head

    @property
    def cost(self) -> int:
        """One product with the output layer for each row, about as dear as a token."""
        return len(self.queries)

    @property
    def rank(self) -> int:
        """Before scores: they take a tenth of the time."""
        return 0

    def run(self, together: Sequence[Rows]) -> list[list[ProposalReply]]:
        """One product with the output layer for all."""
        scored = [one for job in together for one in job.scored]
        queries = [query for job in together for query in job.queries]
        replies = iter(self.scorer.rows(self.head, scored, queries))
        return [[next(replies) for _ in job.queries] for job in together]
