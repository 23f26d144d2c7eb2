"""Laws of moves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from math import exp, isclose

import numpy as np

from samplers.moves.base import Move, MoveWeights
from samplers.state import END, FREE, State
from samplers.testing.kernel_laws import pearson
from samplers.testing.paths import paths, proposed
from samplers.testing.toy import ENDS, INTERIOR, ToyLanguage

Flows = dict[tuple[State, float], float]
"""Probability of proposing each state by ways of one ratio, rounded to 1e-8."""


class MoveLaws:
    """A move can be undone by its reverse, says the true ratio of both, and keeps to the space.

    Every way of the move is enumerated, so its choices have to be discrete (``integers``,
    ``choice``) but for the uniforms of its queries.

    Attributes:
        move: under test.
        partner: the move that ``move.reverse`` names; the move itself unless given.
        states: states to start from; the move applies to some.
        sharpnesses: of the proposal distributions.
        draws: from the real generator for each state, compared with the enumeration.
        model: the language model.
    """

    move: Move
    partner: Move | None = None
    states: Sequence[State]
    sharpnesses: Sequence[float] = (1.0, 1.7)
    draws: int = 400
    model: ToyLanguage = ToyLanguage()

    @property
    def _weights(self) -> MoveWeights:
        return {self.move.reverse: 0.4, self.move.name: 0.4 if self.move.reverse == self.move.name else 0.6}

    def _flows(self, move: Move, state: State, sharpness: float) -> Flows:
        flows: Flows = defaultdict(float)
        for path in asyncio.run(paths(move, state, self._weights, self.model, sharpness)):
            flows[path.state, round(path.log_q_ratio, 8)] += path.probability
        return flows

    def admissible(self, before: State, after: State) -> bool:
        """Whether a proposal is a state of the space: whole blocks of the same keywords, one end, allowed tokens."""
        return (
            len(after.tokens) == len(after.owners)
            and after.owners.index(END) == len(after) - 1
            and after.tokens[-1] in ENDS
            and all(after.tokens[i] in INTERIOR for i in after.free)
            and sorted(owner for owner, _ in groupby(after.owners) if owner != FREE)
            == sorted(owner for owner, _ in groupby(before.owners) if owner != FREE)
        )

    def test_reverse_names_the_partner(self) -> None:
        partner = self.partner or self.move
        assert (partner.name, partner.reverse) == (self.move.reverse, self.move.name)

    def test_probabilities_sum_to_one_or_less(self) -> None:
        totals = [sum(self._flows(self.move, state, 1.0).values()) for state in self.states]
        assert all(total < 1 + 1e-9 for total in totals), totals
        assert any(totals), "the move applies to none of the states: give some to which it does"

    def test_proposals_stay_in_the_space(self) -> None:
        for before in self.states:
            for after, _ in self._flows(self.move, before, 1.0):
                assert self.admissible(before, after), (before, after)

    def test_each_way_has_a_way_back_of_the_stated_ratio(self) -> None:
        """q(x -> x') exp(log q ratio) is the probability of the ways back that state the opposite ratio."""
        weights, partner = self._weights, self.partner or self.move
        for sharpness in self.sharpnesses:
            for before in self.states:
                for (after, ratio), forward in self._flows(self.move, before, sharpness).items():
                    stated = weights[self.move.name] * forward * exp(ratio)
                    ways_back = self._flows(partner, after, sharpness).items()
                    back = sum(
                        probability
                        for (state, other), probability in ways_back
                        if state == before and abs(other + ratio) < 1e-6
                    )
                    assert isclose(stated, weights[partner.name] * back, rel_tol=1e-6), (before, after, stated, back)

    def test_draws_follow_the_enumeration(self) -> None:
        rng, deviations = np.random.default_rng(1), []

        async def draw(state: State) -> tuple[State, float] | None:
            draft = self.move.draft(state, rng, self._weights, 1.0)
            if draft is None:
                return None
            proposal = await proposed(draft, state, self.model)
            return proposal.state, round(proposal.log_q_ratio, 8)

        for state in self.states:
            expected: dict[tuple[State, float] | None, float] = dict(self._flows(self.move, state, 1.0).items())
            expected[None] = max(0.0, 1 - sum(expected.values()))
            number = {outcome: i for i, outcome in enumerate(expected)}
            drawn = [number[asyncio.run(draw(state))] for _ in range(self.draws)]
            chances = np.array(list(expected.values()))
            deviations.append(pearson(np.bincount(drawn, minlength=len(number)), self.draws * chances))
        statistic, freedom = map(sum, zip(*deviations, strict=True))
        assert statistic - freedom < 4 * (2 * max(freedom, 1)) ** 0.5, (statistic, freedom)
