"""Enumeration of all that a move can propose, with the probability of each way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import exp, prod
from typing import Any, NamedTuple, TypeVar

from samplers.language import ProposalReply
from samplers.moves.base import Move, MoveWeights
from samplers.state import State
from samplers.testing.toy import ToyLanguage

R = TypeVar("R")


class Path(NamedTuple):
    """One way to propose a state.

    Attributes:
        state: x'.
        probability: of this way, given that the move is tried.
        log_q_ratio: the move's own, in nats.
    """

    state: State
    probability: float
    log_q_ratio: float


@dataclass
class Choices:
    """Stands in for a generator: each discrete choice takes the branch that ``script`` names, the first beyond it.

    Attributes:
        script: branch numbers of the choices to come.
        branches: for each choice made the branch taken and the probabilities of all.
        uniforms: what ``random`` gave, to be found again in a query.
    """

    script: Sequence[int]
    branches: list[tuple[int, list[float]]] = field(default_factory=list)
    uniforms: list[float] = field(default_factory=list)

    @property
    def probability(self) -> float:
        """Of the branches taken."""
        return prod(chances[taken] for taken, chances in self.branches)

    def integers(self, low: int, high: int | None = None) -> int:
        """As ``numpy.random.Generator.integers``, for one number."""
        first, stop = (0, low) if high is None else (low, high)
        return first + self._branch([1 / (stop - first)] * (stop - first))

    def choice(
        self, a: int | Sequence[Any], size: int | None = None, replace: bool = True, p: Sequence[float] | None = None
    ) -> Any:
        """As ``numpy.random.Generator.choice``; with probabilities for one item alone."""
        items = list(range(a)) if isinstance(a, int) else list(a)
        if size is None:
            return items[self._branch([1 / len(items)] * len(items) if p is None else list(p))]
        if p is not None:
            raise NotImplementedError("choices of several items with probabilities are not enumerated")
        drawn = []
        for _ in range(size):
            at = self._branch([1 / len(items)] * len(items))
            drawn.append(items[at] if replace else items.pop(at))
        return drawn

    def random(self) -> float:
        """A number to hand on as a query's ``uniform``."""
        self.uniforms.append(float("0.5"))
        return self.uniforms[-1]

    def _branch(self, chances: list[float]) -> int:
        made = len(self.branches)
        taken = self.script[made] if made < len(self.script) else 0
        self.branches.append((taken, chances))
        return taken


def every_choice(function: Callable[[Any], R]) -> Iterator[tuple[R, Choices]]:
    """Results of a function of a generator under all its discrete choices."""
    script: list[int] | None = []
    while script is not None:
        choices = Choices(script)
        yield function(choices), choices
        script = next(
            (
                [*(branch for branch, _ in choices.branches[:depth]), taken + 1]
                for depth, (taken, chances) in reversed(list(enumerate(choices.branches)))
                if taken + 1 < len(chances)
            ),
            None,
        )


async def paths(
    move: Move, state: State, weights: MoveWeights, model: ToyLanguage, sharpness: float = 1.0
) -> list[Path]:
    """All ways in which a move proposes from a state; their probabilities sum to 1, or less if it may not apply.

    Raises:
        ValueError: the move uses a random number otherwise than as the uniform of its query.
    """
    (scored,) = await model.score([state.tokens], [None])
    found: list[Path] = []
    for draft, choices in every_choice(lambda rng: move.draft(state, rng, weights, sharpness)):
        query = None if draft is None else draft.query
        uniform = None if query is None else query.uniform
        if len(choices.uniforms) != (uniform is not None) or any(one is not uniform for one in choices.uniforms):
            raise ValueError(
                f"{move.name} calls rng.random() otherwise than for a query's uniform, which cannot be enumerated: "
                "choose with rng.integers or rng.choice"
            )
        if draft is None:
            continue
        replies = [(ProposalReply(), 0.0)]
        if query is not None:
            (reply,) = await model.propose([scored], [query])
            replies = [(reply, 0.0)]
            if uniform is not None:
                log_qs = model.distribution(state.tokens, query)
                replies = [(replace(reply, token=token, log_q=log_q), log_q) for token, log_q in log_qs.items()]
        for reply, log_q in replies:
            proposal = draft.finish(reply)
            found.append(Path(proposal.state, choices.probability * exp(log_q), proposal.log_q_ratio))
    return found
