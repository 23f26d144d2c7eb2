"""Composition of a key of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PLAIN = ("key",)
TRIPLE = ("subject", "predicate", "meaning")
MAX_TOKENS = 60_000
"""Tokens that a part may have; a node keeps its depth within a part in 16 bits."""

TOO_LONG, HOLDS_SEPARATOR = f"has more than {MAX_TOKENS} tokens", "holds the separator that ends it"
"""Faults of a part."""


@dataclass(frozen=True)
class KeyFormat:
    """Parts and separators between them; a key is part 0, separator 0, part 1, separator 1, ...

    The first token of a separator never occurs in the part before it: a key can then be cut into its
    parts in one way only.

    Attributes:
        parts: names in order: ``("key",)``, or ``subject`` and ``predicate`` and perhaps ``meaning``
            in any order. Only the meaning may be empty.
        separators: one token sequence fewer than parts, none of them empty.

    Raises:
        ValueError: other parts or separators.
    """

    parts: tuple[str, ...] = PLAIN
    separators: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.parts != PLAIN and sorted(self.parts) not in (sorted(TRIPLE), sorted(TRIPLE[:2])):
            raise ValueError(f"parts must be {PLAIN} or an order of {TRIPLE} with or without the meaning: {self.parts}")
        if len(self.separators) != len(self.parts) - 1:
            raise ValueError(f"{len(self.parts)} parts need {len(self.parts) - 1} separators: {self.separators}")
        if any(len(tokens) > 1_000 for tokens in self.separators):
            raise ValueError("a separator has at most 1,000 tokens")
        if not all(self.separators) or any(token < 0 for tokens in self.separators for token in tokens):
            raise ValueError(f"a separator must be one or more token ids: {self.separators}")

    @classmethod
    def triples(cls, separator: Sequence[int]) -> KeyFormat:
        """Subject, predicate and meaning, the same separator between them."""
        return cls(TRIPLE, (tuple(separator),) * (len(TRIPLE) - 1))

    @property
    def fields(self) -> int:
        """Columns of a source before the value: the key, or entity and predicate."""
        return 1 if self.parts == PLAIN else 2

    def join(self, parts: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """The key of these parts.

        Raises:
            ValueError: a part is missing, empty, too long, or holds the separator after it.
        """
        if len(parts) != len(self.parts):
            raise ValueError(f"a key has the parts {self.parts}; {len(parts)} were given")
        key: list[int] = []
        for name, part, separator in zip(self.parts, parts, (*self.separators, ()), strict=True):
            if fault := self.fault(name, part, separator):
                raise ValueError(f"the {name} {fault}")
            key += [*part, *separator]
        return tuple(key)

    def fault(self, name: str, part: Sequence[int], separator: Sequence[int]) -> str | None:
        """The fault of a part, if it has one."""
        if not len(part) and name != "meaning":
            return "is empty"
        if len(part) > MAX_TOKENS:
            return TOO_LONG
        if separator and separator[0] in part:
            return HOLDS_SEPARATOR
        return None

    def split(self, key: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """The parts of a key: the inverse of :meth:`join`.

        Raises:
            ValueError: the tokens are not a key of this format.
        """
        rest, parts = tuple(key), []
        for name, separator in zip(self.parts, self.separators, strict=False):
            at = rest.index(separator[0]) if separator[0] in rest else len(rest)
            if rest[at : at + len(separator)] != separator:
                raise ValueError(f"the separator after the {name} is missing")
            parts.append(rest[:at])
            rest = rest[at + len(separator) :]
        parts.append(rest)
        self.join(parts)
        return tuple(parts)

    def head(self, key: Sequence[int]) -> tuple[int, ...]:
        """The first part of a key of this format."""
        key = tuple(key)
        return key[: key.index(self.separators[0][0])] if self.separators else key

    def as_json(self) -> dict[str, Any]:
        """The format as it stands in a manifest."""
        return {"parts": list(self.parts), "separators": [list(tokens) for tokens in self.separators]}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> KeyFormat:
        """The inverse of :meth:`as_json`."""
        return cls(tuple(record["parts"]), tuple(tuple(tokens) for tokens in record["separators"]))


def split_entity(entity: str) -> tuple[str, str]:
    """Subject and meaning of an entity as KgCLUE writes it: ``subject（meaning）``, brackets balanced.

    Without such brackets at the end, or with nothing before or between them, all of it is the subject. White
    space beside the brackets belongs to neither.
    """
    if not entity.endswith("）"):
        return entity, ""
    subject, opening, meaning = entity[:-1].rpartition("（")
    while meaning.count("）") > meaning.count("（"):
        subject, opening, more = subject.rpartition("（")
        if not opening:
            return entity, ""
        meaning = f"{more}（{meaning}"
    subject, meaning = subject.strip(), meaning.strip()
    return (subject, meaning) if subject and opening and meaning else (entity, "")


def join_entity(subject: str, meaning: str) -> str:
    """The inverse of :func:`split_entity`."""
    return f"{subject}（{meaning}）" if meaning else subject
