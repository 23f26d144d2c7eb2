"""Keys and values as a dict, and whether an index says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.key_format import KeyFormat, split_entity
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import Records
from models.retrieval.index.values import normal_value
from models.retrieval.prefix_index import PrefixIndex
from models.text.normalisation import normalise_name

Model = dict[tuple[int, ...], list[str]]
PLAIN = KeyFormat()
TRIPLE = KeyFormat(("subject", "predicate", "meaning"), ((ord("|"),), (ord("#"), ord("|"), ord("!"))))
TURNED = KeyFormat(("predicate", "subject"), ((ord("|"), ord("|")),))


def encode(texts: list[str]) -> list[list[int]]:
    """Code points."""
    return [list(map(ord, text)) for text in texts]


def key_of(fields: Sequence[str], key_format: KeyFormat) -> tuple[int, ...]:
    """The key that a record's fields make."""
    first, *more = map(normalise_name, fields)
    if key_format == PLAIN:
        return key_format.join(encode([first]))
    subject, meaning = split_entity(first) if "meaning" in key_format.parts else (first, "")
    parts = {"subject": subject, "predicate": more[0], "meaning": meaning}
    return key_format.join(encode([parts[name] for name in key_format.parts]))


def model_of(records: Sequence[Sequence[str]], key_format: KeyFormat) -> Model:
    """What an index of these records must hold."""
    model: Model = {}
    for *fields, value in records:
        values = model.setdefault(key_of(fields, key_format), [])
        if normal_value(value) not in values:
            values.append(normal_value(value))
    return model


def built(folder: Path, records: Sequence[Sequence[str]], key_format: KeyFormat) -> CompiledIndex:
    """Build and open."""
    build(folder, [Records(records)], key_format, encode, tokenizer="code points")
    return CompiledIndex.open(folder)


def assert_same(index: PrefixIndex, model: Mapping[tuple[int, ...], list[str]]) -> None:
    """The index holds the model's keys and values, and its tree is the prefix tree of just these keys."""
    assert len(index) == len(model)
    assert sorted(index.key(number) for number in range(len(index))) == sorted(model)
    for number in range(len(index)):
        key = index.key(number)
        assert index.find(key) == number
        assert index.values(number) == model[key]
    following: dict[tuple[int, ...], set[int]] = {(): set()}
    for key in model:
        for at, token in enumerate(key):
            following.setdefault(key[:at], set()).add(token)
    level = {(): index.root}
    while level:
        found = index.allowed(np.array(list(level.values()), np.int64))
        arrays = (found.starts, found.stops, found.tokens, found.children)
        assert [array.dtype for array in arrays] == [np.int64] * 4
        assert len(found.starts) == len(found.stops) == len(level) and len(found.tokens) == len(found.children)
        tokens, children = found.tokens.tolist(), found.children.tolist()
        next_level = {}
        for at, prefix in enumerate(level):
            piece = found.span(at)
            assert tokens[piece] == sorted(following.get(prefix, ()))
            assert found.final[at] == (prefix in model)
            assert not prefix or found.final[at] or tokens[piece], "a dead end"
            next_level |= {(*prefix, token): child for token, child in zip(tokens[piece], children[piece], strict=True)}
        if isinstance(index, OverlayView):
            below = index.keys_below(np.array(list(level.values()), np.int64)).tolist()
            assert below == [sum(key[: len(prefix)] == prefix for key in model) for prefix in level]
        level = next_level
    for prefix in following:
        assert (index.find(prefix) is None) == (prefix not in model)
