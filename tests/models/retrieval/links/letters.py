"""A small graph of letters: entities of one name, names inside names."""

from __future__ import annotations

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.links.names import NamesIn
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import decode, encode

FORMAT = KeyFormat.triples((3,))
KEYS = ("ab|p|", "ab|q|", "c|p|x", "c|p|y", "c|q|y", "abde|p|", "g|r|")


def index(keys: tuple[str, ...] = KEYS) -> DictIndex:
    """The keys in tokens."""
    return DictIndex(encode(key) for key in keys)


def finder(keys: DictIndex, key_format: KeyFormat = FORMAT) -> NamesIn:
    """Finds their names."""
    return NamesIn(keys, key_format, lambda texts: list(map(encode, texts)), lambda some: list(map(decode, some)))


def codec() -> KeyCodec:
    """As the tiny models' own."""
    return KeyCodec(encode, decode, 3, 1, (2,), (3,))
