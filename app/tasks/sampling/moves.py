"""The mix of moves that a request may weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, FiniteFloat

from app.web.codes import Code
from app.web.problems import invalid
from app.web.schemas import Strict
from samplers.moves.base import Move

Weight = Annotated[FiniteFloat, Field(ge=0, le=1e6)]


class Moves(Strict):
    """Weights of the moves; they need not sum to 1. A move that cannot apply is left out."""

    replace: Weight = Field(default=0.5, description="replace one token")
    insert: Weight = Field(default=0.2, description="insert a token; with `delete` or not at all")
    delete: Weight = Field(default=0.2, description="delete a token; with `insert` or not at all")
    swap: Weight = Field(default=0.05, description="exchange two keywords (if unordered and two or more)")
    reform: Weight = Field(default=0.05, description="change a keyword's form (if one has several)")
    redraw: Weight = Field(
        default=0,
        description="draw all from a place after the last keyword again, at most 16 tokens and the closing mark",
    )
    redraw_span: Weight = Field(
        default=0, description="exchange up to 3 neighbouring free tokens for up to 3 drawn ones"
    )
    shift: Weight = Field(default=0, description="move a keyword elsewhere; between its neighbours if `ordered`")


def mix(asked: Moves, moves: Sequence[Move]) -> tuple[list[Move], dict[str, float]]:
    """The moves that have a weight, and their weights with sum 1.

    Args:
        asked: weights of the request.
        moves: those that can apply.

    Raises:
        ProblemError: 422, none has a weight, or one vanishes beside the others.
    """
    given = dict(asked)
    chosen = [move for move in moves if given[move.name] > 0]
    total = sum(given[move.name] for move in chosen)
    if not chosen:
        raise invalid(
            "sampler.moves",
            Code.CONTRADICTORY,
            f"only {' and '.join(name for name, weight in given.items() if weight)} has a weight, and does not apply: "
            "swap needs two unordered keywords, reform a keyword with several forms",
            "give replace, or insert and delete, a weight above 0",
        )
    weights = {move.name: given[move.name] / total for move in chosen}
    for name, weight in weights.items():
        if weight < 1e-9:
            raise invalid(
                f"sampler.moves.{name}",
                Code.TOO_SMALL,
                f"the weight {given[name]:g} vanishes beside the others",
                "give 0, or at least a billionth of the sum",
            )
    return chosen, weights
