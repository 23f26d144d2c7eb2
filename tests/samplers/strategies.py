"""Hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

from samplers.state import FREE, State
from samplers.testing.toy import ENDS, INTERIOR, K, T

FORMS = (((INTERIOR[0],), (INTERIOR[0], INTERIOR[3])), ((K, T),), ((T,), (K,), (T, K)))
"""Token sequences of the forms of three keywords."""


@st.composite
def states(draw: st.DrawFn, least_keywords: int = 0) -> State:
    """Toy states with up to three keywords in any order and form, and up to five free tokens."""
    order = draw(st.lists(st.sampled_from(range(len(FORMS))), unique=True, min_size=least_keywords))
    items = [(k, draw(st.sampled_from(FORMS[k]))) for k in order]
    for token in draw(st.lists(st.sampled_from(INTERIOR), max_size=5)):
        items.insert(draw(st.integers(0, len(items))), (FREE, (token,)))
    return State.assemble(items, draw(st.sampled_from(ENDS)))
