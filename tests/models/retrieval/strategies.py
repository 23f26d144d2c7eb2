"""Hypothesis strategies of records."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from models.retrieval.index.key_format import KeyFormat, join_entity
from tests.models.retrieval.reference import PLAIN, TRIPLE, TURNED

FORMATS = (PLAIN, TRIPLE, TURNED)
VALUES = ("x", "yy", "—", "z z")


@st.composite
def record_lists(draw: st.DrawFn, key_format: KeyFormat) -> list[tuple[str, ...]]:
    """Up to 150 records over few letters, so that prefixes and parts are shared and keys come again."""
    random = Random(draw(st.integers(0, 2**32)))
    return [record(random, key_format) for _ in range(draw(st.sampled_from([1, 2, 5, 20, 50, 150])))]


def record(random: Random, key_format: KeyFormat) -> tuple[str, ...]:
    """A key's fields and a value; now and then one part is common, so that it has many keys."""
    value = random.choice(VALUES)
    if key_format == PLAIN:
        return (_word(random, 6), value)
    subject, meaning = _word(random, 4), random.choice(["", "", "a", "b", "bc", "（a）"])
    if random.random() < 0.3:
        subject, meaning = "c", ""
    predicate = "a" if random.random() < 0.2 else _word(random, 4)
    return (join_entity(subject, meaning), predicate, value)


def _word(random: Random, longest: int) -> str:
    # Letters on both sides of the separators' code points: where an end sorts is part of what is tested.
    return "".join(random.choices('abcａ~"', k=random.randint(1, longest)))
