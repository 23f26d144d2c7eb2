"""All that a move can propose, one choice after the other instead of at random."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from samplers.language import ProposalReply
from samplers.moves.base import Move, MoveWeights, Proposal
from samplers.state import State
from tests.samplers.spaces import EPSILON
from tests.samplers.toy import INTERIOR, ToyLanguage

_UNIFORMS = int(len(INTERIOR) / EPSILON) + 1
"""So many evenly spread uniforms meet every token, since none has less than EPSILON / |A|."""


@dataclass
class Scripted:
    """Stands in for a generator; ``number`` says which places are chosen, ``uniform`` which token."""

    number: int
    uniform: float = 0.0

    def integers(self, n: int) -> int:
        self.number, chosen = divmod(self.number, n)
        return chosen

    def choice(self, n: int, size: int, replace: bool) -> tuple[int, ...]:
        assert not replace
        pairs = list(combinations(range(n), size))
        return pairs[self.integers(len(pairs))]

    def random(self) -> float:
        return self.uniform


async def propose(
    move: Move, state: State, rng: Any, weights: MoveWeights, model: ToyLanguage, sharpness: float = 1.0
) -> Proposal | None:
    """One proposal, rows answered by the toy."""
    draft = move.draft(state, rng, weights, sharpness)
    if draft is None:
        return None
    if draft.query is None:
        return draft.finish(ProposalReply())
    scored = await model.score([state.tokens], [None])
    (reply,) = await model.rows(scored, [draft.query])
    return draft.finish(reply)


async def every_proposal(
    move: Move,
    state: State,
    weights: MoveWeights,
    model: ToyLanguage,
    places: int = 24,
    sharpness: float = 1.0,
) -> list[Proposal]:
    """All proposals, some several times; ``places`` is at least the number of the move's places."""
    uniforms = [(k + 0.5) / _UNIFORMS for k in range(_UNIFORMS if move.name in ("replace", "insert") else 1)]
    found = []
    for number in range(places):
        for uniform in uniforms:
            proposal = await propose(move, state, Scripted(number, uniform), weights, model, sharpness)
            if proposal is not None:
                found.append(proposal)
    return found
