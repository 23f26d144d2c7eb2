"""Metropolis-Hastings over a batch of chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Try
from samplers.kernels.prefetch import PrefetchedStep, ScoreRequest
from samplers.language import LanguageModel, ProposalReply, Scored
from samplers.moves.base import Move, MoveWeights
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
        lookahead: k, steps drawn ahead, >= 1; or what tells it for a chain that draws, given the
            chain and how many chains have steps left.

    Raises:
        ValueError: the weights do not match the moves, are not positive, do not sum to 1, or
            one of insert and delete stands without the other or with another epsilon.
    """

    target: Target
    moves: Sequence[Move]
    weights: MoveWeights
    beta: float = 1.0
    lookahead: int | Callable[[Chain, int], int] = 1

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
        """At most ``lookahead`` steps of every chain; see :meth:`samplers.kernels.base.Kernel.advance`."""
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
        active = sum(chain.steps < until for chain in chains)
        ahead: list[Sequence[PrefetchedStep]] = []
        fresh: list[tuple[Chain, PrefetchedStep]] = []
        for chain, rng in zip(chains, rngs, strict=True):
            steps: Sequence[PrefetchedStep] = chain.ahead
            if not steps and chain.steps < until:
                most = self.lookahead(chain, active) if callable(self.lookahead) else self.lookahead
                numbers = range(chain.steps + 1, min(chain.steps + most, until) + 1)
                steps = [self._draw(chain.state, rng, schedule(number)) for number in numbers]
                fresh += [(chain, step) for step in steps]
            ahead.append(steps)
        await self._propose(fresh, model)
        asked = [
            (chain, step, step.wanted)
            for chain, steps in zip(chains, ahead, strict=True)
            for step in steps
            if step.wanted is not None
        ]
        scores = await model.score([wanted.tokens for *_, wanted in asked], [wanted.base for *_, wanted in asked])
        for (chain, step, _), scored in zip(asked, scores, strict=True):
            self._receive(chain, step, scored)
        return [
            self._accept(schedule, chain, steps, rng) for chain, steps, rng in zip(chains, ahead, rngs, strict=True)
        ]

    def _draw(self, state: State, rng: np.random.Generator, beta: float) -> PrefetchedStep:
        """All random choices of one step from ``state``, in a fixed order."""
        thresholds = np.cumsum([self.weights[move.name] for move in self.moves])[:-1]
        move = self.moves[int(np.searchsorted(thresholds, rng.random(), "right"))]
        draft = move.draft(state, rng, self.weights, beta)
        return PrefetchedStep(beta, move.name, draft, log(1.0 - rng.random()), rng.bit_generator.state)

    async def _propose(self, fresh: Sequence[tuple[Chain, PrefetchedStep]], model: LanguageModel[Any]) -> None:
        """Fill in the proposals, asking for all rows in one call."""
        drafted = [(chain, step, step.draft) for chain, step in fresh if step.draft is not None]
        asked = [(chain, query) for chain, _, draft in drafted if (query := draft.query) is not None]
        replies = iter(await model.rows([chain.scored for chain, _ in asked], [query for _, query in asked]))
        for chain, step, draft in drafted:
            step.proposal = draft.finish(ProposalReply() if draft.query is None else next(replies))
            if step.proposal.state != chain.state and self.target.admits(step.proposal.state):
                step.wanted = self._request(chain, step.proposal.state)

    def _request(self, chain: Chain, proposed: State) -> ScoreRequest:
        """What to score of a proposal."""
        return ScoreRequest(proposed.tokens, chain.scored)

    def _receive(self, chain: Chain, step: PrefetchedStep, scored: Scored) -> None:
        """Take in the score of what a step wanted."""
        step.scored, step.wanted = scored, None

    def _accept(
        self, schedule: Schedule, chain: Chain, ahead: Sequence[PrefetchedStep], rng: np.random.Generator
    ) -> Chain:
        """Walk the steps drawn ahead until one moves the chain; wait where a score is wanted still."""
        tries: list[Try] = []
        for step in ahead:
            if step.wanted is not None:
                return replace(chain, tries=(), ahead=ahead)
            proposal, scored = step.proposal, step.scored
            moved = False
            if proposal is not None and scored is not None:
                new = self.target.log_density(proposal.state, float(scored.log_probs.sum()), step.beta)
                old = self.target.log_density(chain.state, chain.log_prob, step.beta)
                moved = step.accepts(new - old + proposal.log_q_ratio)
            tries.append(Try(step.move, proposal is not None, moved))
            if moved and proposal is not None and scored is not None:
                rng.bit_generator.state = step.generator_state
                return chain.after(tries, (proposal.state, scored))
        return chain.after(tries, None)
