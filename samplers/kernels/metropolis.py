"""Metropolis-Hastings over a batch of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from samplers.kernels.base import Chain
from samplers.language import LanguageModel, RowReply, Scored
from samplers.moves.base import Move, MoveWeights, Proposal
from samplers.state import State
from samplers.target import Target


@dataclass(frozen=True, slots=True)
class MetropolisHastings:
    """Each step tries one move per chain and accepts x' with probability min(1, r), where

        log r = log pi_beta(x') - log pi_beta(x) + log q(x | x') - log q(x' | x)

    (Metropolis et al. 1953; Hastings 1970). The move is chosen with fixed probabilities. A
    move that does not apply, and a proposal outside the support, leave the chain where it is
    and count as steps. The chain keeps pi_beta.

    The steps of all chains meet in two calls of the model: rows for the drafts, scores for
    the proposals. Each chain draws from its own generator in a fixed order, so its path does
    not depend on its neighbours.

    Attributes:
        target: the law.
        moves: the mix; insert and delete come together or not at all.
        weights: probability of each move by name, positive, summing to 1.
        beta: inverse temperature of the language model's share of the target.

    Raises:
        ValueError: the weights do not match the moves, are not positive, do not sum to 1, or
            one of insert and delete stands without the other.
    """

    target: Target
    moves: Sequence[Move]
    weights: MoveWeights
    beta: float = 1.0

    def __post_init__(self) -> None:
        names = [move.name for move in self.moves]
        if sorted(names) != sorted(self.weights):
            raise ValueError(f"moves {sorted(names)} and weights {sorted(self.weights)} differ")
        if not names or min(self.weights.values()) <= 0 or abs(sum(self.weights.values()) - 1) > 1e-9:
            raise ValueError("move weights must be positive and sum to 1")
        if ("insert" in names) != ("delete" in names):
            raise ValueError("insert and delete are each other's reverse: give both or neither")

    async def init(self, states: Sequence[State], model: LanguageModel) -> list[Chain]:
        """Score the first states; see :meth:`samplers.kernels.base.Kernel.init`."""
        for state in states:
            if not self.target.admits(state):
                raise ValueError(f"initial state violates a constraint: {self.target.decode(state.tokens)!r}")
        scored = await model.score([state.tokens for state in states], [None] * len(states))
        return [Chain(state, score) for state, score in zip(states, scored, strict=True)]

    async def step(
        self, step: int, chains: Sequence[Chain], model: LanguageModel, rngs: Sequence[np.random.Generator]
    ) -> list[Chain]:
        """One step of every chain; see :meth:`samplers.kernels.base.Kernel.step`."""
        names, proposals, log_uniforms = await self._propose(chains, model, rngs)
        admitted = [
            proposal is not None and proposal.state != chain.state and self.target.admits(proposal.state)
            for chain, proposal in zip(chains, proposals, strict=True)
        ]
        scores = await self._score(chains, proposals, admitted, model)

        after = []
        for i, (chain, proposal) in enumerate(zip(chains, proposals, strict=True)):
            state, scored, moved = chain.state, chain.scored, False
            if proposal is not None and admitted[i]:
                new = self.target.log_density(proposal.state, float(scores[i].log_probs.sum()), self.beta)
                old = self.target.log_density(chain.state, chain.log_prob, self.beta)
                if log_uniforms[i] < new - old + proposal.log_q_ratio:
                    state, scored, moved = proposal.state, scores[i], True
            after.append(Chain(state, scored, names[i], proposal is not None, moved))
        return after

    async def _propose(
        self, chains: Sequence[Chain], model: LanguageModel, rngs: Sequence[np.random.Generator]
    ) -> tuple[list[str], list[Proposal | None], list[float]]:
        """Draw a move for each chain, then in one call the tokens that the moves ask for."""
        thresholds = np.cumsum([self.weights[move.name] for move in self.moves])[:-1]
        names, drafts, log_uniforms = [], [], []
        for chain, rng in zip(chains, rngs, strict=True):
            move = self.moves[int(np.searchsorted(thresholds, rng.random(), "right"))]
            names.append(move.name)
            drafts.append(move.draft(chain.state, rng, self.weights))
            log_uniforms.append(log(1.0 - rng.random()))
        asked = [(i, draft.query) for i, draft in enumerate(drafts) if draft is not None and draft.query is not None]
        replies = await model.rows([chains[i].scored for i, _ in asked], [query for _, query in asked])
        reply_of = {i: reply for (i, _), reply in zip(asked, replies, strict=True)}
        proposals = [
            None if draft is None else draft.finish(reply_of.get(i, RowReply())) for i, draft in enumerate(drafts)
        ]
        return names, proposals, log_uniforms

    @staticmethod
    async def _score(
        chains: Sequence[Chain],
        proposals: Sequence[Proposal | None],
        admitted: Sequence[bool],
        model: LanguageModel,
    ) -> dict[int, Scored]:
        """Score the admitted proposals in one call, by chain."""
        wanted = [(i, p.state.tokens) for i, p in enumerate(proposals) if p is not None and admitted[i]]
        scored = await model.score([tokens for _, tokens in wanted], [chains[i].scored for i, _ in wanted])
        return {i: score for (i, _), score in zip(wanted, scored, strict=True)}
