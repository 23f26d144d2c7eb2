"""Samplers whose draws are not chains: what a run needs to know of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import Any, ClassVar, Protocol

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.problem import SamplingProblem
from app.web.schemas import Strict
from samplers.first_states import KeywordBlocks
from samplers.language import LanguageModel
from samplers.run import Step


class Draws(Protocol):
    """A sampler that needs no first states."""

    @property
    def last_step(self) -> int:
        """Number of the step at which it ends at the latest."""
        ...

    def run(self, model: LanguageModel[Any], seed: int) -> AsyncGenerator[Step]:
        """Steps with their outcome."""
        ...


class DrawOptions(Strict):
    """Options of a sampler that needs no first states.

    Attributes:
        searches: whether the law changes on the way.
    """

    searches: ClassVar[bool] = False

    @abstractmethod
    def bounds(self, limits: Limits) -> Sequence[Bound]:
        """Bounds of the options."""

    @property
    @abstractmethod
    def expected_scores(self) -> int:
        """Sentences to be scored, by which time is estimated."""

    @abstractmethod
    def draws_of(self, problem: SamplingProblem, samples: int) -> Draws:
        """The sampler of these options.

        Args:
            problem: the law.
            samples: how many are asked for.
        """


def blocks_of(problem: SamplingProblem) -> KeywordBlocks:
    """The blocks that every sentence of a problem has, those left out that only help to lay out first states.

    Raises:
        TypeError: its first states come from a text.
    """
    if not isinstance(problem.source, KeywordBlocks):
        raise TypeError("a sampler without first states needs keywords")
    blocks = problem.source
    # Its constraints ask for what the scaffold lays out.
    kept = [number for number in range(len(blocks.forms)) if number not in blocks.scaffold]
    if kept != [*range(len(kept))]:
        raise TypeError("the scaffold is not the last of the blocks")
    return KeywordBlocks(
        blocks.forms[: len(kept)],
        blocks.ordered,
        blocks.end,
        [number for number in blocks.opening if number in kept],
        [number for number in blocks.closing if number in kept],
        [[number for number in row if number in kept] for row in blocks.rows],
        apart=blocks.apart,
    )
