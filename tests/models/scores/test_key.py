"""Keys of the score cache."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.scores.key import KEY_BYTES, Field, KeySpace

fields = st.one_of(st.text(max_size=4), st.binary(max_size=4), st.lists(st.integers(0, 300), max_size=4))


@given(st.lists(fields, max_size=4), st.lists(fields, max_size=4))
def test_keys_are_equal_only_if_all_fields_are(one: list[Field], other: list[Field]) -> None:
    same = [(type(f), f) for f in one] == [(type(f), f) for f in other]
    assert (KeySpace(*one).key() == KeySpace(*other).key()) == same


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_where_the_context_ends_is_in_the_key(tokens: list[int], one: int, other: int) -> None:
    keys = [KeySpace("m", tokens[:cut]).key(tokens[cut:]) for cut in (one, other)]
    assert (keys[0] == keys[1]) == (min(one, len(tokens)) == min(other, len(tokens)))
    assert len(keys[0]) == KEY_BYTES and keys[0] != KeySpace("n", tokens[:one]).key(tokens[one:])


def test_a_key_space_is_a_prefix_of_the_fields() -> None:
    assert KeySpace("m", [1]).key([2]) == KeySpace("m").key([1], [2])
