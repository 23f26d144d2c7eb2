"""Gibbs sampling: a token is drawn anew given all others, among all tokens or among a few drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Position, Try
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import Alphabet, LanguageModel, ProposalQuery
from samplers.moves.base import Move, MoveWeights
from samplers.schedules import constant
from samplers.state import State
from samplers.target import Target
from samplers.weights import chosen


@dataclass(slots=True)
class _Update:
    """A place of one chain, and what may stand there.

    Attributes:
        number: of the chain.
        position: the place.
        queries: about candidates to draw; none if all tokens are tried.
        tokens: candidates, the present token the first.
        log_qs: log of the probability that each would be drawn, in nats; 0 where all are tried.
    """

    number: int
    position: int
    queries: Sequence[ProposalQuery]
    tokens: list[int]
    log_qs: list[float]


@dataclass(frozen=True, slots=True)
class Gibbs:
    """Each step either draws one token from its law given all others, or is a Metropolis-Hastings step.

    With probability ``weights["replace"]`` a place i is chosen among the free positions and the closing one. If its
    alphabet A is given, the new token is w with probability pi_beta(x with w at i) / sum over A: the Gibbs sampler
    (Geman and Geman 1984). Else w_1 ... w_K are drawn from the proposal distribution q(. | x_<i), w_0 = x_i, and the
    new token is w_k with probability proportional to pi_beta(x with w_k at i) / q(w_k). Given that one of w_0 ... w_K
    is of the target and the others are drawn from q, each is the one with that probability, so pi_beta is kept, and no
    candidate is ever rejected in vain (Tjelmeland, Using all Metropolis-Hastings proposals to estimate mean values,
    2004). Other moves keep their own acceptance.

    Attributes:
        target: the law.
        moves: the others of the mix.
        weights: probability of each move by name, "replace" among them, summing to 1.
        beta: inverse temperature.
        candidates: K >= 1.
        interior: all tokens that may be free, if they are few enough to try them all.
        ends: the same of closing tokens.
        epsilon: uniform share of q.

    Raises:
        ValueError: there is no weight for "replace", or the others are no mix.
    """

    target: Target
    moves: Sequence[Move]
    weights: MoveWeights
    beta: float = 1.0
    candidates: int = 8
    interior: Sequence[int] | None = None
    ends: Sequence[int] | None = None
    epsilon: float = 0.05
    _others: MetropolisHastings | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if not 0 < self.weights.get("replace", 0.0) <= 1:
            raise ValueError("Gibbs sampling needs a weight for replace")
        rest = 1 - self.weights["replace"]
        if self.moves:
            shares = {name: weight / rest for name, weight in self.weights.items() if name != "replace"}
            others = MetropolisHastings(self.target, self.moves, shares, constant(self.beta))
            object.__setattr__(self, "_others", others)
        elif rest > 1e-9:
            raise ValueError("weights are given for moves that are not")

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """See :meth:`samplers.kernels.base.Kernel.init`."""
        kernel = self._others or MetropolisHastings(self.target, [_Stay()], {"stay": 1.0})
        return await kernel.init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        """One step of every chain; see :meth:`samplers.kernels.base.Kernel.advance`."""
        after = [replace(chain, info=replace(chain.info, tries=())) for chain in chains]
        replacing: list[int] = []
        others: list[int] = []
        for number, chain in enumerate(chains):
            if chain.steps < total_steps:
                drawn = self._others is None or rngs[number].random() < self.weights["replace"]
                (replacing if drawn else others).append(number)
        await self._replace(after, replacing, model, rngs)
        while self._others is not None and (
            waiting := [number for number in others if after[number].steps == chains[number].steps]
        ):
            goal = after[waiting[0]].steps + 1
            moved = await self._others.advance(
                [after[number] for number in waiting], model, [rngs[number] for number in waiting], goal
            )
            for number, chain in zip(waiting, moved, strict=True):
                after[number] = chain
        return after

    async def _replace(
        self,
        chains: list[Chain],
        numbers: Sequence[int],
        model: LanguageModel[Any],
        rngs: Sequence[np.random.Generator],
    ) -> None:
        updates = [self._update(number, chains[number].state, rngs[number]) for number in numbers]
        asked = [(update, query) for update in updates for query in update.queries]
        replies = await model.propose(
            [chains[update.number].position.scored for update, _ in asked], [query for _, query in asked]
        )
        for (update, _), reply in zip(asked, replies, strict=True):
            if reply.log_q_present is not None:
                update.log_qs[0] = reply.log_q_present
            assert reply.token is not None and reply.log_q is not None
            update.tokens.append(reply.token)
            update.log_qs.append(reply.log_q)
        tried = [
            (update, k, state)
            for update in updates
            for k, token in enumerate(update.tokens)
            if k and self.target.admits(state := chains[update.number].state.replaced(update.position, token))
        ]
        scores = await model.score(
            [state.tokens for *_, state in tried], [chains[update.number].position.scored for update, *_ in tried]
        )
        log_potentials = await self.target.log_weights([state for *_, state in tried])
        found: dict[int, dict[int, Position]] = {number: {0: chains[number].position} for number in numbers}
        for (update, k, state), scored, phi in zip(tried, scores, log_potentials, strict=True):
            found[update.number][k] = Position(state, scored, phi)
        for update in updates:
            chains[update.number] = self._drawn(chains[update.number], update, found[update.number], rngs)

    def _update(self, number: int, state: State, rng: np.random.Generator) -> _Update:
        """A place, and its candidates or the questions for them."""
        places = [*state.free, state.end]
        position = places[int(rng.integers(len(places)))]
        present = state.tokens[position]
        alphabet = Alphabet.ENDS if position == state.end else Alphabet.INTERIOR
        every = self.ends if alphabet is Alphabet.ENDS else self.interior
        if every is not None:
            others = [token for token in every if token != present]
            return _Update(number, position, (), [present, *others], [0.0] * (len(others) + 1))
        queries = [
            ProposalQuery(position, self.epsilon, self.beta, alphabet, rng.random(), None if k else present)
            for k in range(self.candidates)
        ]
        return _Update(number, position, queries, [present], [0.0])

    def _drawn(
        self, chain: Chain, update: _Update, found: dict[int, Position], rngs: Sequence[np.random.Generator]
    ) -> Chain:
        """The chain with one of the candidates."""
        logs = [self._log_density(found[k]) - log_q if k in found else -inf for k, log_q in enumerate(update.log_qs)]
        after = found[chosen(logs, rngs[update.number].random())]
        attempt = Try("replace", True, after.state != chain.state)
        return Chain(after if attempt.moved else chain.position, chain.info.after([attempt]))

    def _log_density(self, position: Position) -> float:
        return self.target.log_density(position.state, position.scored.log_probs, position.log_weight, self.beta)


@dataclass(frozen=True, slots=True)
class _Stay:
    """A move that never applies, for a kernel that only scores first states."""

    name: str = "stay"
    reverse: str = "stay"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> None:
        """None."""
