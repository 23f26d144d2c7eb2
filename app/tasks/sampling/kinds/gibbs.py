"""Gibbs sampling as a request may choose it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from app.tasks.sampling.kernels import Beta, Drafts, SamplerOptions
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import invalid
from samplers.kernels.base import Kernel
from samplers.kernels.gibbs import Gibbs
from samplers.moves.base import Move

MAX_EVERY = 64
"""Tokens of an alphabet that are all tried; of a larger one some are drawn."""


class GibbsOptions(SamplerOptions):
    """Gibbs sampling: each replaced token is drawn among candidates by the law of the whole sentence."""

    kind: Literal["gibbs"]
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    candidates: int = Field(
        default=8,
        ge=1,
        le=256,
        description="gibbs: tokens drawn for a place, among which and the present one the next is chosen; where at "
        f"most {MAX_EVERY} may stand there, all are tried",
    )
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")

    @property
    def expected_scores(self) -> int:
        """See :meth:`SamplerOptions.expected_scores`."""
        return (self.steps + 1) * self.chains * self.candidates

    def kernel(
        self, problem: SamplingProblem, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int]
    ) -> Kernel:
        """See :meth:`SamplerOptions.kernel`."""
        if "replace" not in weights:
            raise invalid(
                "sampler.moves.replace",
                Code.CONTRADICTORY,
                "its weight is 0, and it is the move that Gibbs sampling makes",
                "give it a weight above 0, or take another kind",
            )
        vocabulary = problem.vocabulary
        interior = (
            [int(token) for token in vocabulary.ids[: vocabulary.interior]]
            if vocabulary.interior <= MAX_EVERY
            else None
        )
        return Gibbs(
            problem.target,
            [move for move in moves if move.name != "replace"],
            weights,
            self.beta,
            self.candidates,
            interior,
            vocabulary.end_tokens if vocabulary.ends <= MAX_EVERY else None,
        )
