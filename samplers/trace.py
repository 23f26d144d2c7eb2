"""Record of a run: the states to choose results from, and the counts to judge it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from samplers.run import Step
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Visit:
    """The first time that a chain stands at a state.

    Attributes:
        state: x.
        log_probs: log p(x_i | context, x_<i) of each token, in nats.
        chain: which chain.
        step: at which step.
    """

    state: State
    log_probs: tuple[float, ...]
    chain: int
    step: int

    @property
    def log_prob(self) -> float:
        """Sum over the tokens, in nats."""
        return sum(self.log_probs)

    @property
    def log_prob_per_token(self) -> float:
        """Mean over the tokens, in nats: minus the log of the perplexity."""
        return self.log_prob / len(self.log_probs)


@dataclass(slots=True)
class MoveCount:
    """How often a move was tried, applied, and moved the chain."""

    tried: int = 0
    proposed: int = 0
    moved: int = 0

    @property
    def acceptance(self) -> float:
        """Share of the tries after which the chain stood elsewhere; 0 without a try."""
        return self.moved / self.tried if self.tried else 0.0


@dataclass(slots=True)
class Trace:
    """Collects the steps of a run.

    Attributes:
        visits: the first visit to each distinct token sequence, over all chains; of two at the same step that of
            the first chain. The lookahead changes nothing in it.
        last: where each chain stands.
        moves: counts by move name.
        steps: steps that every chain has taken at least.
    """

    visits: dict[tuple[int, ...], Visit] = field(default_factory=dict)
    last: list[Visit] = field(default_factory=list)
    moves: dict[str, MoveCount] = field(default_factory=dict)
    steps: int = 0

    def add(self, step: Step) -> list[Visit]:
        """Take in a step; return the visits to states never seen before."""
        self.steps = step.number
        fresh = []
        for number, chain in enumerate(step.chains):
            for attempt in chain.info.tries:
                count = self.moves.setdefault(attempt.move, MoveCount())
                count.tried += 1
                count.proposed += attempt.proposed
                count.moved += attempt.moved
            if chain.moved or number == len(self.last):
                visit = Visit(
                    chain.state, tuple(float(p) for p in chain.position.scored.log_probs), number, chain.steps
                )
                if number < len(self.last):
                    self.last[number] = visit
                else:
                    self.last.append(visit)
                known = self.visits.get(visit.state.tokens)
                if known is None:
                    fresh.append(visit)
                if known is None or (visit.step, visit.chain) < (known.step, known.chain):
                    self.visits[visit.state.tokens] = visit
        return fresh


def rank(visits: Sequence[Visit]) -> list[Visit]:
    """Most fluent first: by log-prob per token, ties by step and chain."""
    return sorted(visits, key=lambda v: (-v.log_prob_per_token, v.step, v.chain))
