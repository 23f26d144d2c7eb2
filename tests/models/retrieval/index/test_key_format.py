"""Keys and their parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.index.key_format import KeyFormat, join_entity, split_entity
from tests.models.retrieval.reference import PLAIN, TRIPLE, TURNED


@pytest.mark.parametrize(
    ("entity", "subject", "meaning"),
    [
        ("守望星光（韩玉玲、刘东考演唱歌曲）", "守望星光", "韩玉玲、刘东考演唱歌曲"),
        ("郑多彬（韩国女演员（2000年出生））", "郑多彬", "韩国女演员（2000年出生）"),
        ("甲（乙）（丙）", "甲（乙）", "丙"),
        ("国民军", "国民军", ""),
        ("（甲）", "（甲）", ""),
        ("甲（）", "甲（）", ""),
        ("甲）", "甲）", ""),
        ("甲（乙））", "甲（乙））", ""),
        ("甲（乙）丙", "甲（乙）丙", ""),
    ],
)
def test_kgclue_entities(entity: str, subject: str, meaning: str) -> None:
    assert split_entity(entity) == (subject, meaning)


@given(st.text("甲乙（）", max_size=12))
def test_an_entity_can_be_put_together_again(entity: str) -> None:
    assert join_entity(*split_entity(entity)) == entity


TOKENS = st.lists(st.sampled_from([1, 2, *map(ord, "|#!")]), max_size=4)


@pytest.mark.parametrize("key_format", [PLAIN, TRIPLE, TURNED], ids=lambda one: one.parts[0])
@given(data=st.data())
def test_a_key_is_split_as_it_was_joined_or_refused(key_format: KeyFormat, data: st.DataObject) -> None:
    parts = tuple(tuple(data.draw(TOKENS)) for _ in key_format.parts)
    try:
        key = key_format.join(parts)
    except ValueError:
        ends = [*key_format.separators, (-1,)]
        empty = [not part and name != "meaning" for part, name in zip(parts, key_format.parts, strict=True)]
        assert any(empty) or any(end[0] in part for part, end in zip(parts, ends, strict=True))
    else:
        assert key_format.split(key) == parts
    assert KeyFormat.from_json(key_format.as_json()) == key_format


@pytest.mark.parametrize(
    ("parts", "separators"),
    [
        (("object",), ()),
        (("subject",), ()),
        (("subject", "subject"), ((1,),)),
        (("subject", "predicate"), ()),
        (("subject", "predicate"), ((),)),
        (("subject", "predicate"), ((-1,),)),
        (("key",), ((1,),)),
    ],
)
def test_formats_that_are_none(parts: tuple[str, ...], separators: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="parts|separator"):
        KeyFormat(parts, separators)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "separator after the subject is missing"),
        ("a|", "separator after the predicate is missing"),
        ("|a#|!", "subject is empty"),
        ("a|b#|", "separator after the predicate is missing"),
    ],
)
def test_tokens_that_are_no_key(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRIPLE.split([ord(character) for character in text])
