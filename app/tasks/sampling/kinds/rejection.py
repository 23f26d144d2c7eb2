"""Rejection sampling as a request may choose it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.kinds.draws import DrawOptions, Draws, blocks_of
from app.tasks.sampling.problem import SamplingProblem
from samplers.objective import LOG_PROB, Objective
from samplers.rejection import Rejection

SCORES_PER_DRAW = 12
"""Tokens of a draw before it closes or is given up, roughly."""


class RejectionOptions(DrawOptions):
    """Rejection: draws of the language model, of which those that hold everything asked are independent samples."""

    kind: Literal["rejection"]
    objective: ClassVar[Objective] = LOG_PROB
    draws: int = Field(
        default=1000,
        ge=1,
        description="rejection: sentences drawn at most; it ends before if `samples` of them hold every constraint, "
        "and answers with fewer if fewer do",
    )

    def bounds(self, limits: Limits) -> Sequence[Bound]:
        """See :meth:`DrawOptions.bounds`."""
        return [Bound("sampler.draws", self.draws, limits.max_draws)]

    @property
    def expected_scores(self) -> int:
        """See :meth:`DrawOptions.expected_scores`."""
        return self.draws * SCORES_PER_DRAW

    def draws_of(self, problem: SamplingProblem, samples: int) -> Draws:
        """See :meth:`DrawOptions.draws_of`."""
        vocabulary = problem.vocabulary
        place, closed = vocabulary.local, vocabulary.interior + vocabulary.ends
        return Rejection(
            problem.target,
            blocks_of(problem),
            free=lambda token: place[token] < vocabulary.interior,
            closes=lambda token: vocabulary.interior <= place[token] < closed,
            draws=self.draws,
            samples=samples,
            max_tokens=problem.max_tokens,
        )
