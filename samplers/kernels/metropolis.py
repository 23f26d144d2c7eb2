"""Metropolis-Hastings over a batch of chains; with a rising schedule, simulated annealing."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from math import isinf, log
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Position, Try
from samplers.kernels.prefetch import PrefetchedStep, ScoreRequest
from samplers.language import LanguageModel, Scored
from samplers.moves.base import Move, MoveWeights, Round
from samplers.schedules import Schedule, constant
from samplers.state import State
from samplers.target import Target


@dataclass(frozen=True, slots=True)
class MetropolisHastings:
    """Each step tries one move per chain and accepts x' with probability min(1, r), where

        log r = log pi_beta(x') - log pi_beta(x) + log q(x | x') - log q(x' | x)

    (Metropolis et al. 1953; Hastings 1970). The move is chosen with fixed probabilities. A
    move that does not apply, and a proposal of density 0, leave the chain where it is and count
    as steps. Each step leaves pi_beta at its own beta invariant. Proposal distributions are
    sharpened to beta, so proposals stay near what pi_beta accepts.

    As beta rises, pi_beta gathers at the mode of the constrained language model: simulated
    annealing (Kirkpatrick, Gelatt and Vecchi, Science 1983; for text Liu et al., UPSA, ACL 2020,
    whose acceptance omits the Hastings correction, which is kept here at every temperature).

    Most proposals are rejected, and a rejection leaves the state as it was. So with
    ``lookahead`` k > 1 the proposals of a chain's next k steps are drawn as if the ones before
    them were rejected, and scored together; after the first acceptance the rest are thrown
    away and the generator is set back to where that step left it. The chain is the one that
    k = 1 gives; only the batches are larger. Source: Brockwell, Parallel MCMC simulation by
    pre-fetching (JCGS 2006).

    The work of all chains meets in two calls of the model: proposals for the drafts, and scores.
    The potential is asked beside the scores, in one call about all proposals; the value of the
    state where a chain stands is kept with the chain. Each chain draws from its own generator in
    a fixed order, so its path does not depend on its neighbours.

    Attributes:
        target: the law.
        moves: the mix; a move whose reverse is another move comes with it.
        weights: probability of each move by name, positive, summing to 1.
        schedule: beta by chain and step.
        lookahead: k >= 1, or a policy that gives k for a chain and the number of chains with steps left.

    Raises:
        ValueError: the weights do not match the moves, are not positive, do not sum to 1, or
            a move stands without its reverse or with one of another epsilon.
    """

    target: Target
    moves: Sequence[Move]
    weights: MoveWeights
    schedule: Schedule = field(default=constant(1.0))
    lookahead: int | Callable[[Chain, int], int] = 1

    def __post_init__(self) -> None:
        names = sorted(move.name for move in self.moves)
        by_name = {move.name: move for move in self.moves}
        if names != sorted(self.weights):
            raise ValueError(f"moves {names} and weights {sorted(self.weights)} differ")
        if not by_name or min(self.weights.values()) <= 0 or abs(sum(self.weights.values()) - 1) > 1e-9:
            raise ValueError("move weights must be positive and sum to 1")
        for name, move in by_name.items():
            back = by_name.get(move.reverse)
            if back is None or back.reverse != name:
                raise ValueError(f"{name} and {move.reverse} are each other's reverse: give both or neither")
            if getattr(move, "epsilon", None) != getattr(back, "epsilon", None):
                raise ValueError(f"{name} and {move.reverse} are each other's reverse: give both the same epsilon")

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """Score and weigh the first states; see :meth:`samplers.kernels.base.Kernel.init`."""
        for state in states:
            if not self.target.admits(state):
                raise ValueError(f"initial state violates a constraint: {self.target.decode(state.tokens)!r}")
        scored = await model.score([state.tokens for state in states], [None] * len(states))
        log_weights = await self.target.log_weights(states)
        for state, log_weight in zip(states, log_weights, strict=True):
            if isinf(log_weight):
                raise ValueError(f"initial state has density 0 by the potential: {self.target.decode(state.tokens)!r}")
        return [Chain(Position(*parts)) for parts in zip(states, scored, log_weights, strict=True)]

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        """At most ``lookahead`` steps of every chain; see :meth:`samplers.kernels.base.Kernel.advance`."""
        active = sum(chain.steps < total_steps for chain in chains)
        prefetched: list[Sequence[PrefetchedStep]] = []
        for number, (chain, rng) in enumerate(zip(chains, rngs, strict=True)):
            steps: Sequence[PrefetchedStep] = chain.prefetched
            if not steps and chain.steps < total_steps:
                most = self.lookahead(chain, active) if callable(self.lookahead) else self.lookahead
                numbers = range(chain.steps + 1, min(chain.steps + most, total_steps) + 1)
                steps = self._prefetch(chain, rng, [self.schedule(number, step) for step in numbers])
            prefetched.append(steps)
        all_steps = [(chain, step) for chain, steps in zip(chains, prefetched, strict=True) for step in steps]
        await self._propose([(chain, step) for chain, step in all_steps if step.drafted], model)
        await self._answer(all_steps, model)
        return [self._accept(*parts) for parts in zip(chains, prefetched, rngs, strict=True)]

    def _prefetch(self, chain: Chain, rng: np.random.Generator, betas: Sequence[float]) -> list[PrefetchedStep]:
        """The chain's next steps, at most one for each beta; one of several rounds goes alone: in vain it is dear."""
        steps: list[PrefetchedStep] = []
        for number, beta in enumerate(betas, 1):
            step = self._draw(chain.state, rng, beta)
            if isinstance(step.draft, Round) and steps:
                rng.bit_generator.state = steps[-1].generator_state
                break
            steps.append(step)
            if isinstance(step.draft, Round):
                break
            if number < len(betas):
                step.generator_state = rng.bit_generator.state
        return steps

    def _draw(self, state: State, rng: np.random.Generator, beta: float) -> PrefetchedStep:
        """All random choices of one step from ``state``, in a fixed order."""
        thresholds = list(accumulate(self.weights[move.name] for move in self.moves))[:-1]
        move = self.moves[bisect_right(thresholds, rng.random())]
        draft = move.draft(state, rng, self.weights, beta)
        return PrefetchedStep(beta, move.name, draft, log(1.0 - rng.random()))

    async def _propose(self, drafted: Sequence[tuple[Chain, PrefetchedStep]], model: LanguageModel[Any]) -> None:
        """Fill in the proposals, or go on to their next rounds, asking for all tokens in one call."""
        rounds = [(chain, step, step.draft.opened()) for chain, step in drafted if step.draft is not None]
        asked = [
            (step.read if one.text is not None else chain.position.scored, query)
            for chain, step, one in rounds
            for query in one.queries
        ]
        replies = iter(await model.propose([scored for scored, _ in asked], [query for _, query in asked]))
        for chain, step, one in rounds:
            after = one.finish([next(replies) for _ in one.queries])
            if isinstance(after, Round):
                step.draft = after
                if after.text is not None:
                    step.score_request = ScoreRequest(after.text, step.read or chain.position.scored)
                continue
            step.proposal = after
            if after.state != chain.state and self.target.admits(after.state):
                self._request(chain, step, after.state)

    async def _answer(self, steps: Sequence[tuple[Chain, PrefetchedStep]], model: LanguageModel[Any]) -> None:
        """Get the open scores and weights, both side by side."""
        scoring = [(chain, step, step.score_request) for chain, step in steps if step.score_request is not None]
        weighing = [(step, step.proposal.state) for _, step in steps if step.weight_open and step.proposal is not None]
        scores = model.score([request.tokens for *_, request in scoring], [request.base for *_, request in scoring])
        if weighing:
            scored, log_weights = await asyncio.gather(
                scores, self.target.log_weights([state for _, state in weighing])
            )
            for (step, _), log_weight in zip(weighing, log_weights, strict=True):
                step.log_weight, step.weight_open = log_weight, False
        else:
            scored = await scores
        for (chain, step, _), score in zip(scoring, scored, strict=True):
            if step.drafted:
                step.read, step.score_request = score, None
            else:
                self._receive(chain, step, score)

    def _request(self, chain: Chain, step: PrefetchedStep, proposed: State) -> None:
        """Ask first about a proposal that differs from the state and satisfies the constraints."""
        step.score_request = ScoreRequest(proposed.tokens, step.read or chain.position.scored)
        step.weight_open = self.target.potential is not None

    def _receive(self, chain: Chain, step: PrefetchedStep, scored: Scored) -> None:
        """Take in the score that a step asked for."""
        step.scored, step.score_request = scored, None

    def _accept(self, chain: Chain, prefetched: Sequence[PrefetchedStep], rng: np.random.Generator) -> Chain:
        """Walk the prefetched steps until one moves the chain; wait at one that is not answered in full."""
        tries: list[Try] = []
        for step in prefetched:
            if step.waits:
                return Chain(chain.position, replace(chain.info, tries=()), prefetched)
            proposal, scored = step.proposal, step.scored
            proposed = None if proposal is None else proposal.state
            log_ratio, stage = step.first_log_ratio, int(step.first_log_ratio is not None)
            if proposal is not None and scored is not None:
                after = Position(proposal.state, scored, step.log_weight)
                gained = self._log_density(after, step.beta) - self._log_density(chain.position, step.beta)
                log_ratio, stage = gained + proposal.log_q_ratio, 2
                if step.accepts(log_ratio):
                    if step.generator_state is not None:
                        rng.bit_generator.state = step.generator_state
                    return Chain(after, chain.info.after([*tries, Try(step.move, True, True, proposed, log_ratio, 2)]))
            tries.append(Try(step.move, proposal is not None, False, proposed, log_ratio, stage))
        return Chain(chain.position, chain.info.after(tries))

    def _log_density(self, position: Position, beta: float) -> float:
        return self.target.log_density(position.state, position.scored.log_probs, position.log_weight, beta)
