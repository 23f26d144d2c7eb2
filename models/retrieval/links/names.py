"""Names of an index that stand in a running text, found without the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.subtree import below, nodes_of

LONGEST_NAME = 64
"""Characters of a name that is looked for; where a text has no spaces, :data:`LONGEST_UNSPACED`."""
LONGEST_UNSPACED = 32
MAX_KEYS = 200
"""Keys of one name that are told apart: of more, the shortest."""
AT_ONCE = 4096
"""Spans that are looked up together."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Thai, Lao, Burmese and Khmer letters, Han characters, kana, and Hangul, whose particles stand against the word."""
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[^\W_{_UNSPACED}]+")
"""A run of letters or digits in which no name begins or ends."""
_MEANING = re.compile(r"[（(]([^（）()]+)[）)]")
"""The meaning of a subject, where a text writes it as the index does."""

MOST_ROOTS = 20_000
"""First tokens of names that are read to learn the characters that names begin with: of more, all are looked for."""

Encode = Callable[[list[str]], Sequence[Sequence[int]]]
"""Tokens of texts, each by itself."""
Decode = Callable[[list[list[int]]], list[str]]
"""Texts of token sequences."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A subject with one of its meanings, or a key of one part: what a name may mean."""

    meaning: tuple[int, ...]  # tokens; none for no meaning
    keys: tuple[tuple[int, ...], ...]  # all of its keys that are told apart, without end tokens


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the index in a text: characters ``start`` to before ``stop``, and the entities that have it."""

    start: int
    stop: int
    tokens: tuple[int, ...]
    entities: tuple[Entity, ...]  # that it may mean here
    others: tuple[Entity, ...] = ()  # that have the name too, and another meaning than the text says
    whole: bool = True  # whether these hold all keys of the name

    @property
    def length(self) -> int:
        """Characters."""
        return self.stop - self.start

    def overlaps(self, other: Name) -> bool:
        """Whether the two share a character."""
        return self.start < other.stop and other.start < self.stop


@dataclass(frozen=True, eq=False)
class NamesIn:
    """Finds the names of an index.

    A name stands where its characters do, in the normal form of names, and where it cuts no run of letters or digits
    of a script that spaces its words. Upper and lower case count, but that the words of a name after its first may be
    written small: ``Swiss franc`` is ``Swiss Franc``. A straight apostrophe stands for a typeset one. Where the meaning
    follows in brackets, they are of the name.
    """

    index: PrefixIndex
    key_format: KeyFormat
    encode: Encode
    decode: Decode

    def of(self, text: str) -> list[Name]:
        """The names in a text in its normal form, by where they begin, longer ones first."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for start, stop in _spans(text, self._firsts(text)):
            for spelled in _spellings(text[start:stop]):
                spans.setdefault(spelled, []).append((start, stop))
        separator = self.key_format.separators[0] if self.key_format.separators else ()
        found: list[Name] = []
        texts = list(spans)
        for at in range(0, len(texts), AT_ONCE):
            some = texts[at : at + AT_ONCE]
            written = [tuple(tokens) for tokens in self.encode(some)]
            heads = [(*tokens, *separator) if tokens else None for tokens in written]
            nodes = iter(nodes_of(self.index, [head for head in heads if head is not None]))
            for span, tokens, head in zip(some, written, heads, strict=True):
                if head is not None and (node := next(nodes)) is not None:
                    found += self._named(text, spans[span], tokens, head, node)
        return sorted(set(found), key=lambda name: (name.start, -name.stop, name.tokens))

    def _firsts(self, text: str) -> set[str]:
        """The characters of a text with which names may begin."""
        characters = sorted(set(text))
        roots = self.index.allowed(np.array([self.index.root], np.int64)).tokens.tolist() if len(self.index) else []
        pieces = {piece.lstrip()[:1] for piece in self.decode([[token] for token in roots[:MOST_ROOTS]])}
        if len(roots) > MOST_ROOTS or "" in pieces:
            return set(characters)
        # A token that is a part of a character has no text of its own.
        known = set(roots)
        begun = (bool(tokens) and tokens[0] in known for tokens in self.encode(characters))
        return {each for each, starts in zip(characters, begun, strict=True) if starts or each in pieces}

    def _named(
        self, text: str, places: Sequence[tuple[int, int]], tokens: tuple[int, ...], head: tuple[int, ...], node: int
    ) -> Iterator[Name]:
        """A name at each of its places."""
        if len(head) == len(tokens):
            if self.index.find(tokens) is not None:
                yield from (Name(start, stop, tokens, (Entity((), (tokens,)),)) for start, stop in places)
            return
        (rest,) = below(self.index, [node], MAX_KEYS + 1)
        keys: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for key in ((*head, *each) for each in rest[:MAX_KEYS]):
            keys.setdefault(self._meaning(key), []).append(key)
        entities = tuple(Entity(meaning, tuple(some)) for meaning, some in keys.items())
        whole = len(rest) <= MAX_KEYS
        for start, stop in places:
            said = _MEANING.match(text, stop)
            meaning = () if said is None else tuple(self.encode([said[1].strip()])[0])
            if said is None or not meaning or meaning not in keys:
                yield Name(start, stop, tokens, entities, (), whole)
                continue
            here = tuple(one for one in entities if one.meaning == meaning)
            others = tuple(one for one in entities if one.meaning != meaning)
            yield Name(start, said.end(), tokens, here, others, whole)

    def _meaning(self, key: tuple[int, ...]) -> tuple[int, ...]:
        if "meaning" not in self.key_format.parts:
            return ()
        return self.key_format.split(key)[self.key_format.parts.index("meaning")]


def _spans(text: str, firsts: Container[str]) -> Iterator[tuple[int, int]]:
    """Spans that may be names: they begin with one of these characters, end with no space, and cut no word."""
    inside = {at for word in _WORD.finditer(text) for at in range(word.start() + 1, word.end())}
    cuts = [at for at in range(len(text) + 1) if at not in inside]
    for number, start in enumerate(cuts[:-1]):
        if text[start] == " " or text[start] not in firsts:
            continue
        most = LONGEST_UNSPACED if _UNSPACED_LETTER.match(text, start) else LONGEST_NAME
        for stop in cuts[number + 1 :]:
            if stop - start > most:
                break
            if text[stop - 1] != " ":
                yield start, stop


def _spellings(span: str) -> Iterator[str]:
    """A span as it stands; with a capital to each of its words if the first has one; with typeset apostrophes."""
    words = span.split(" ")
    capitals = " ".join(word[:1].upper() + word[1:] for word in words) if words[0][:1].isupper() else span
    curly = [one.replace("'", "’") for one in (span, capitals)]
    yield from dict.fromkeys([span, capitals, *curly])
