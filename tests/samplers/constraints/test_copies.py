"""Copied runs, keywords aside."""

from __future__ import annotations

import re

import pytest

from samplers import from_text
from samplers.constraints.copies import NoCopies
from samplers.spans import Span
from samplers.testing import PotentialLaws
from samplers.testing.toy import STOP, A, B, C, K, decode
from tests.samplers.constraints.test_constraints import written


def words(text: str) -> list[Span]:
    return [match.span() for match in re.finditer(r"\w+", text)]


class TestNoCopies(PotentialLaws):
    potential = NoCopies(["a b c.", "C a!"], words, 2, decode)
    states = (
        from_text((A, B, STOP)),
        from_text((B, A, STOP)),
        from_text((A, B, C, STOP)),
        from_text((C, A, STOP)),
        from_text((A, K, STOP), [slice(1, 2)]),
    )


def copied(text: str, *pieces: str, run: int = 2) -> float:
    state, said, decoding = written(*pieces)
    return NoCopies([text], words, run, decoding).violation(state, said)


@pytest.mark.parametrize(
    ("context", "pieces", "violation"),
    [
        ("we sat by the fire.", (" we", " sat", " up", "."), 1),
        ("we sat by the fire.", (" sat", " we", " by", "."), 0),
        ("We sat. By the fire.", (" sat", " by", "."), 1),
        # The farther inside, the more units begin a copy: a repair walks down it.
        ("we sat by the fire.", (" we", " sat", " by", " the", "."), 3),
        # A keyword does not count, nor does it break a run.
        ("we sat by the fire.", (" we", "[[ sat]]", " down", "."), 0),
        ("we sat by the fire.", (" we", "[[ sat]]", " by", "."), 1),
        ("we sat by the fire.", ("[[ we+ sat+ by]]", " the", "."), 0),
        ("we sat by the fire.", ("[[ we+ sat+ by]]", " the", " fire", "."), 4),
        # Of several places in the context the one that goes on counts.
        ("a b. a b c.", ("[[ a+ b]]", " c", " d", "."), 0),
        ("a b x. a b c d.", ("[[ a+ b]]", " c", " d", "."), 3),
    ],
)
def test_counts_the_units_that_begin_a_copy(context: str, pieces: tuple[str, ...], violation: float) -> None:
    assert copied(context, *pieces) == violation


def test_a_run_may_be_as_long_as_one_less() -> None:
    assert copied("we sat by the fire.", " we", " sat", " by", ".", run=4) == 0
    assert copied("we sat by the fire.", " we", " sat", " by", " the", ".", run=4) == 1
