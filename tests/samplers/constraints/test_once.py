"""Keywords that are said once."""

from __future__ import annotations

import pytest

from samplers import from_text
from samplers.constraints.once import SaidOnce
from samplers.constraints.words import spaced_boundaries
from samplers.testing import PotentialLaws
from samplers.testing.toy import STOP, A, B, K, S, decode
from tests.samplers.constraints.test_constraints import CHINESE, written


class TestSaidOnce(PotentialLaws):
    potential = SaidOnce([("a",)], spaced_boundaries, decode)
    states = (
        from_text((A, STOP), [slice(0, 1)]),
        from_text((A, B, STOP), [slice(0, 1)]),
        from_text((A, A, STOP), [slice(0, 1)]),
        from_text((A, B, A, STOP), [slice(2, 3)]),
        from_text((A, K, A, S, STOP), [slice(0, 1)]),
    )


def again(forms: list[tuple[str, ...]], *pieces: str) -> float:
    state, said, decoding = written(*pieces)
    return SaidOnce(forms, spaced_boundaries, decoding).violation(state, said)


@pytest.mark.parametrize(
    ("forms", "pieces", "violation"),
    [
        ([("dog",)], ("[[ dog]]", " ran", "."), 0),
        ([("dog",)], ("[[ dog]]", " dogs", "."), 0),
        ([("dog", "dogs")], ("[[ dog]]", " dogs", "."), 1),
        ([("dog",)], ("[[ dog]]", " Dog", " dog", "."), 2),
        # One keyword inside another is no second mention.
        ([("York",), ("New York",)], ("[[ York]]", "[[ New+ York]]", "."), 0),
        ([("York",), ("New York",)], ("[[ York]]", "[[ New+ York]]", " York", "."), 1),
        # One place is counted once, whichever form it has.
        ([("Dog", "dog")], ("[[ dog]]", " dog", "."), 1),
    ],
)
def test_counts_the_places(forms: list[tuple[str, ...]], pieces: tuple[str, ...], violation: float) -> None:
    assert again(forms, *pieces) == violation


def test_neighbours_hide_no_second_mention_where_words_are_segmented() -> None:
    state, said, decoding = written("[[公园]]", "在", "办", "公园", "区", "。")
    assert SaidOnce([("公园",)], CHINESE, decoding).violation(state, said) == 0
    assert SaidOnce([("公园",)], CHINESE, decoding, anywhere=True).violation(state, said) == 1


def test_a_single_character_is_a_word_only_by_itself() -> None:
    state, said, decoding = written("[[在]]", "公园", "园区", "。")
    assert SaidOnce([("园",), ("在",)], CHINESE, decoding, anywhere=True).violation(state, said) == 0
