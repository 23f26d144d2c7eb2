"""Metropolis-Hastings over a batch of chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Try
from samplers.language import LanguageModel, RowReply, Scored
from samplers.moves.base import Draft, Move, MoveWeights, Proposal
from samplers.schedules import Schedule, constant
from samplers.state import State
from samplers.target import Target


@dataclass(frozen=True, slots=True)
class MetropolisHastings:
    """Each step tries one move per chain and accepts x' with probability min(1, r), where

        log r = log pi_beta(x') - log pi_beta(x) + log q(x | x') - log q(x' | x)

    (Metropolis et al. 1953; Hastings 1970). The move is chosen with fixed probabilities. A
    move that does not apply, and a proposal outside the support, leave the chain where it is
    and count as steps. The chain keeps pi_beta. Rows are sharpened to beta, so proposals stay
    near what pi_beta accepts.

    Most proposals are rejected, and a rejection leaves the state as it was. So with
    ``lookahead`` k > 1 the proposals of a chain's next k steps are drawn as if the ones before
    them were rejected, and scored together; after the first acceptance the rest are thrown
    away and the generator is set back to where that step left it. The chain is the one that
    k = 1 gives; only the batches are larger. Source: Brockwell, Parallel MCMC simulation by
    pre-fetching (JCGS 2006).

    The work of all chains meets in two calls of the model: rows for the drafts, scores for
    the proposals. Each chain draws from its own generator in a fixed order, so its path does
    not depend on its neighbours.

    Attributes:
        target: the law.
        moves: the mix; insert and delete come together or not at all.
        weights: probability of each move by name, positive, summing to 1.
        beta: inverse temperature of the language model's share of the target.
        lookahead: k, steps drawn ahead per chain, >= 1; or what tells it before each advance, by how
            much room the model has.

    Raises:
        ValueError: the weights do not match the moves, are not positive, do not sum to 1, or
            one of insert and delete stands without the other or with another epsilon.
    """

    target: Target
    moves: Sequence[Move]
    weights: MoveWeights
    beta: float = 1.0
    lookahead: int | Callable[[], int] = 1

    def __post_init__(self) -> None:
        names = [move.name for move in self.moves]
        if sorted(names) != sorted(self.weights):
            raise ValueError(f"moves {sorted(names)} and weights {sorted(self.weights)} differ")
        if not names or min(self.weights.values()) <= 0 or abs(sum(self.weights.values()) - 1) > 1e-9:
            raise ValueError("move weights must be positive and sum to 1")
        if ("insert" in names) != ("delete" in names):
            raise ValueError("insert and delete are each other's reverse: give both or neither")
        if len({getattr(move, "epsilon", None) for move in self.moves if move.name in ("insert", "delete")}) > 1:
            raise ValueError("insert and delete are each other's reverse: give both the same epsilon")

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """Score the first states; see :meth:`samplers.kernels.base.Kernel.init`."""
        for state in states:
            if not self.target.admits(state):
                raise ValueError(f"initial state violates a constraint: {self.target.decode(state.tokens)!r}")
        scored = await model.score([state.tokens for state in states], [None] * len(states))
        return [Chain(state, score) for state, score in zip(states, scored, strict=True)]

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], until: int
    ) -> list[Chain]:
        """One to ``lookahead`` steps of every chain; see :meth:`samplers.kernels.base.Kernel.advance`."""
        return await self.advance_by(constant(self.beta), chains, model, rngs, until)

    async def advance_by(
        self,
        schedule: Schedule,
        chains: Sequence[Chain],
        model: LanguageModel[Any],
        rngs: Sequence[np.random.Generator],
        until: int,
    ) -> list[Chain]:
        """The same, step t of a chain at beta = schedule(t)."""
        most = self.lookahead() if callable(self.lookahead) else self.lookahead
        ahead = [
            [self._draw(chain.state, rng, schedule(chain.steps + 1 + k)) for k in range(min(most, until - chain.steps))]
            for chain, rng in zip(chains, rngs, strict=True)
        ]
        await self._propose(chains, ahead, model)
        await self._score(chains, ahead, model)
        return [
            self._accept(schedule, chain, steps, rng) for chain, steps, rng in zip(chains, ahead, rngs, strict=True)
        ]

    def _draw(self, state: State, rng: np.random.Generator, beta: float) -> Ahead:
        """All random choices of one step from ``state``, in a fixed order."""
        thresholds = np.cumsum([self.weights[move.name] for move in self.moves])[:-1]
        move = self.moves[int(np.searchsorted(thresholds, rng.random(), "right"))]
        draft = move.draft(state, rng, self.weights, beta)
        return Ahead(beta, move.name, draft, log(1.0 - rng.random()), rng.bit_generator.state)

    async def _propose(
        self, chains: Sequence[Chain], ahead: Sequence[Sequence[Ahead]], model: LanguageModel[Any]
    ) -> None:
        """Fill in the proposals, asking for all rows in one call."""
        drafted = [
            (chain, step, step.draft)
            for chain, steps in zip(chains, ahead, strict=True)
            for step in steps
            if step.draft is not None
        ]
        asked = [(chain, query) for chain, _, draft in drafted if (query := draft.query) is not None]
        replies = iter(await model.rows([chain.scored for chain, _ in asked], [query for _, query in asked]))
        for chain, step, draft in drafted:
            step.proposal = draft.finish(RowReply() if draft.query is None else next(replies))
            step.admitted = step.proposal.state != chain.state and self.target.admits(step.proposal.state)

    async def _score(
        self, chains: Sequence[Chain], ahead: Sequence[Sequence[Ahead]], model: LanguageModel[Any]
    ) -> None:
        """Fill in the scores of the admitted proposals in one call."""
        wanted = [
            (chain, step, step.proposal)
            for chain, steps in zip(chains, ahead, strict=True)
            for step in steps
            if step.proposal is not None and step.admitted
        ]
        scores = await model.score(
            [proposal.state.tokens for *_, proposal in wanted], [chain.scored for chain, *_ in wanted]
        )
        for (_, step, _), scored in zip(wanted, scores, strict=True):
            step.scored = scored

    def _accept(self, schedule: Schedule, chain: Chain, ahead: Sequence[Ahead], rng: np.random.Generator) -> Chain:
        """Walk the steps drawn ahead until one moves the chain."""
        tries: list[Try] = []
        for step in ahead:
            proposal, scored = step.proposal, step.scored
            moved = False
            if proposal is not None and scored is not None:
                new = self.target.log_density(proposal.state, float(scored.log_probs.sum()), step.beta)
                old = self.target.log_density(chain.state, chain.log_prob, step.beta)
                moved = step.accepts(new - old + proposal.log_q_ratio)
            tries.append(Try(step.move, proposal is not None, moved))
            if moved and proposal is not None and scored is not None:
                rng.bit_generator.state = step.generator_state
                return Chain(proposal.state, scored, chain.steps + len(tries), tuple(tries))
        return Chain(chain.state, chain.scored, chain.steps + len(tries), tuple(tries))


@dataclass(slots=True)
class Ahead:
    """A step drawn ahead: its random choices, and what the model answers to them.

    Attributes:
        beta: inverse temperature of the step.
        move: name of the move.
        draft: the move's places, or None where it does not apply.
        log_uniform: log of the acceptance uniform.
        generator_state: the chain's generator after this step's draws.
        proposal: the proposed state.
        admitted: whether it lies in the support and differs from the current state.
        scored: its score, if admitted; with two stages, if it passed the first.
        second_log_uniform: likewise of the second stage.
        first_log_ratio: log r_1 of the first stage, None where there is but one.
    """

    beta: float
    move: str
    draft: Draft | None
    log_uniform: float
    generator_state: Any
    proposal: Proposal | None = None
    admitted: bool = False
    scored: Scored | None = None
    second_log_uniform: float = 0.0
    first_log_ratio: float | None = None

    def accepts(self, log_ratio: float) -> bool:
        """Whether the uniforms accept, given log r."""
        if self.first_log_ratio is None:
            return self.log_uniform < log_ratio
        return self.log_uniform < self.first_log_ratio and self.second_log_uniform < log_ratio - self.first_log_ratio
