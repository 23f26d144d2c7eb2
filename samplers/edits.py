"""Record of single steps: what each would have changed, and how it was judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from samplers.kernels.base import Try
from samplers.state import State


class Edit(NamedTuple):
    """One step of one chain; ``new`` in place of ``old`` at ``place`` makes the proposed state of the one before.

    Attributes:
        chain: which chain, from 0.
        step: which step of it, from 1.
        move: name of the move.
        place: position of the first token that differs; None where no other sentence was proposed.
        old: tokens that the proposal would replace, as few as tell the two apart.
        new: tokens in their place.
        log_ratio: see :class:`~samplers.kernels.base.Try`.
        stage: see there.
        moved: whether it was accepted.
    """

    chain: int
    step: int
    move: str
    place: int | None
    old: tuple[int, ...]
    new: tuple[int, ...]
    log_ratio: float | None
    stage: int
    moved: bool


def edit_of(chain: int, step: int, state: State, attempt: Try) -> Edit:
    """The record of a step from ``state``."""
    before, after = state.tokens, state.tokens if attempt.proposal is None else attempt.proposal.tokens
    start, old_stop, new_stop = difference(before, after)
    return Edit(
        chain,
        step,
        attempt.move,
        None if before == after else start,
        before[start:old_stop],
        after[start:new_stop],
        attempt.log_ratio,
        attempt.stage,
        attempt.moved,
    )


def difference(old: Sequence[int], new: Sequence[int]) -> tuple[int, int, int]:
    """The shortest run of tokens that tells two apart: where it begins, its end in ``old``, its end in ``new``."""
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    same = 0
    while same < shorter - start and old[-1 - same] == new[-1 - same]:
        same += 1
    return start, len(old) - same, len(new) - same
