"""No stuttering, over free tokens and keyword blocks."""

from __future__ import annotations

import pytest

from samplers.constraints.repeats import NoStutter
from samplers.state import State
from samplers.testing.toy import STOP, A, B, K, S, T, decode

FREE = -1


@pytest.mark.parametrize(
    ("blocks", "violation"),
    [
        ([(FREE, (A,)), (FREE, (B,))], 0),
        ([(FREE, (A,)), (FREE, (A,))], 1),
        ([(FREE, (A,)), (FREE, (B,)), (FREE, (A,)), (FREE, (B,))], 1),
        ([(FREE, (A,)), (FREE, (B,)), (FREE, (A,))], 0),
        # A keyword is one unit, even where its own tokens repeat, and is like the free word.
        ([(0, (A, A))], 0),
        ([(0, (A,)), (FREE, (A,))], 1),
        ([(0, (A,)), (1, (A,))], 1),
        ([(0, (K, T)), (FREE, (K,)), (FREE, (T,))], 0),
        ([(FREE, (A,)), (FREE, (S,)), (FREE, (S,))], 1),
        # Two words may stand twice, apart; three may not.
        ([(FREE, (A,)), (FREE, (B,)), (FREE, (S,)), (FREE, (A,)), (FREE, (B,)), (FREE, (T,))], 0),
        ([(FREE, (w,)) for w in (A, B, S, T, A, B, S)], 1),
        ([(FREE, (A,)), (0, (B, B)), (FREE, (S,)), (FREE, (T,)), (FREE, (A,)), (FREE, (B,)), (FREE, (S,))], 0),
    ],
)
def test_runs_said_twice(blocks: list[tuple[int, tuple[int, ...]]], violation: int) -> None:
    state = State.assemble(blocks, STOP)
    assert NoStutter(decode).violation(state, decode(state.tokens)) == violation


def test_long_units_stand_at_most_so_often() -> None:
    pieces = {0: " word", 1: " the", 2: " a", 9: "."}

    def spell(tokens: tuple[int, ...]) -> str:
        return "".join(pieces[token] for token in tokens).strip()

    state = State.assemble([(FREE, (token,)) for token in (0, 1, 0, 2, 1, 2, 0, 1)], 9)
    assert [NoStutter(spell, most).violation(state, "") for most in (1, 2, 3)] == [2, 1, 0]
