"""Record of a run: the states to choose results from, and the counts to judge it by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from samplers.diagnostics.scores import Draws
from samplers.edits import Edit, edit_of
from samplers.run import Step
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Visit:
    """A chain's coming to a state.

    Attributes:
        state: x.
        log_probs: log p(x_i | context, x_<i) of each token, in nats.
        chain: which chain.
        step: at which step.
        log_weight: phi(x) of the target's potential, in nats.
    """

    state: State
    log_probs: tuple[float, ...]
    chain: int
    step: int
    log_weight: float = 0.0

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
        history: the chains' first states and the states after each of their moves, as they came; those of one chain
            in order.
        moves: counts by move name.
        steps: steps that every chain has taken at least.
        edits: every step, as it came; None where they are not kept.
    """

    visits: dict[tuple[int, ...], Visit] = field(default_factory=dict)
    last: list[Visit] = field(default_factory=list)
    history: list[Visit] = field(default_factory=list)
    moves: dict[str, MoveCount] = field(default_factory=dict)
    steps: int = 0
    edits: list[Edit] | None = None

    def draws(self, quantity: Callable[[Visit], float], after: int = -1) -> Draws:
        """A quantity at every later step up to the last that all chains have taken; shape (chains, steps - after).

        Args:
            quantity: of a visit.
            after: the last step to leave out; -1 keeps the first states.
        """
        drawn = np.empty((len(self.last), self.steps - after))
        paths: list[list[Visit]] = [[] for _ in self.last]
        for visit in self.history:
            paths[visit.chain].append(visit)
        for row, path in zip(drawn, paths, strict=True):
            begins = np.clip([visit.step for visit in path] + [self.steps + 1], after + 1, self.steps + 1)
            row[:] = np.repeat([quantity(visit) for visit in path], np.diff(begins))
        return drawn

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
            if self.edits is not None and chain.info.tries:
                state = self.last[number].state
                for taken, attempt in enumerate(chain.info.tries, chain.steps - len(chain.info.tries) + 1):
                    self.edits.append(edit_of(number, taken, state, attempt))
            if chain.moved or number == len(self.last):
                log_probs = tuple(float(p) for p in chain.position.scored.log_probs)
                visit = Visit(chain.state, log_probs, number, chain.steps, chain.position.log_weight)
                if number < len(self.last):
                    self.last[number] = visit
                else:
                    self.last.append(visit)
                self.history.append(visit)
                known = self.visits.get(visit.state.tokens)
                if known is None:
                    fresh.append(visit)
                if known is None or (visit.step, visit.chain) < (known.step, known.chain):
                    self.visits[visit.state.tokens] = visit
        return fresh


def rank(visits: Sequence[Visit]) -> list[Visit]:
    """Most fluent first: by log-prob per token, ties by step and chain."""
    return sorted(visits, key=lambda v: (-v.log_prob_per_token, v.step, v.chain))
