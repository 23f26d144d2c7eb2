"""Syntax of patterns: the part of Python's regular expressions that describes regular languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_COUNTS = re.compile(r"\{(\d{0,4})(,?)(\d{0,4})\}")
_GROUP = re.compile(r"\((?:\?:|\?P<\w+>)?")


class PatternError(ValueError):
    """A pattern that cannot be read, or is no regular language.

    Attributes:
        at: the offset where.
    """

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of characters.

    Attributes:
        ranges: first and last character of each range.
        classes: letters of escapes, such as ``d``, in capitals for what is not in the class.
        negated: whether it is all but these.
    """

    ranges: tuple[tuple[str, str], ...] = ()
    classes: str = ""
    negated: bool = False

    def __contains__(self, character: str) -> bool:
        inside = any(low <= character <= high for low, high in self.ranges) or any(
            _CLASSES[name.lower()](character) != name.isupper() for name in self.classes
        )
        return inside != self.negated


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part from ``least`` to ``most`` times; None for any number."""

    part: Node
    least: int
    most: int | None


Node = Characters | Sequence | Choice | Repeat

ANY = Characters((("\n", "\n"),), negated=True)


def parse(pattern: str) -> Node:
    """The syntax tree of a pattern; ``^`` and ``$`` are allowed at its ends, which they are in any case.

    Raises:
        PatternError: it cannot be read, or looks around, refers back, or asks for word edges.
    """
    parser = _Parser(pattern, at=int(pattern.startswith("^")))
    tree = parser.choice(0)
    if parser.at < len(pattern):
        raise PatternError("there is no group to close", parser.at)
    return tree


@dataclass(slots=True)
class _Parser:
    pattern: str
    at: int = 0
    _deepest: int = field(default=50, init=False)

    def choice(self, depth: int) -> Node:
        if depth > self._deepest:
            raise PatternError(f"groups are nested deeper than {self._deepest}", self.at)
        parts = [self._sequence(depth)]
        while self._next("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self.pattern[self.at :] == "$":
                self.at += 1
                break
            parts.append(self._repeated(self._atom(depth)))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _next(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def _repeated(self, part: Node) -> Node:
        while True:
            counts = _COUNTS.match(self.pattern, self.at)
            if counts and (counts[1] or counts[3]):
                least = int(counts[1] or 0)
                most = least if not counts[2] else int(counts[3]) if counts[3] else None
                if most is not None and most < least:
                    raise PatternError(f"{counts[0]} asks for at least {least} and at most {most}", self.at)
                self.at = counts.end()
            elif self._next("*"):
                least, most = 0, None
            elif self._next("+"):
                least, most = 1, None
            elif self._next("?"):
                least, most = 0, 1
            else:
                return part
            if self.pattern.startswith("+", self.at):
                raise PatternError("possessive repeats are not regular here", self.at)
            self._next("?")  # the shortest match is of the same language
            part = Repeat(part, least, most)

    def _atom(self, depth: int) -> Node:
        start, character = self.at, self.pattern[self.at]
        if character == "(":
            group = _GROUP.match(self.pattern, self.at)
            assert group is not None
            if self.pattern.startswith("(?", self.at) and group[0] == "(":
                raise PatternError("looking around, flags and conditions are no part of regular languages", start)
            self.at = group.end()
            inner = self.choice(depth + 1)
            if not self._next(")"):
                raise PatternError("the group is not closed", start)
            return inner
        if character == "[":
            return self._set()
        self.at += 1
        if character == ".":
            return ANY
        if character == "\\":
            return self._escape()
        if character in "*+?{" and not (character == "{" and not _COUNTS.match(self.pattern, start)):
            raise PatternError(f"there is nothing to repeat before {character!r}", start)
        if character in "^$":
            raise PatternError(f"{character!r} stands inside; the whole text is matched anyway", start)
        return Characters(((character, character),))

    def _escape(self) -> Characters:
        start = self.at - 1
        if self.at == len(self.pattern):
            raise PatternError("a backslash ends the pattern", start)
        character = self.pattern[self.at]
        self.at += 1
        if character.lower() in _CLASSES:
            return Characters(classes=character)
        if character == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", code := self.pattern[self.at : self.at + 4]):
            self.at += 4
            return Characters(((chr(int(code, 16)),) * 2,))
        character = _ESCAPED.get(character, character)
        if character.isascii() and character.isalnum():
            raise PatternError(f"\\{character} is not known here: word edges and references back are not", start)
        return Characters(((character, character),))

    def _set(self) -> Characters:
        start = self.at
        self.at += 1
        negated = self._next("^")
        ranges: list[tuple[str, str]] = []
        classes = ""
        while not self.pattern.startswith("]", self.at) or self.at == start + 1 + negated:
            low = self._member(start)
            if low.classes:
                classes += low.classes
                continue
            first = last = low.ranges[0][0]
            if self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at):
                self.at += 1
                high = self._member(start)
                if high.classes or (last := high.ranges[0][0]) < first:
                    raise PatternError("the range ends before it begins", start)
            ranges.append((first, last))
        self.at += 1
        return Characters(tuple(ranges), classes, negated)

    def _member(self, start: int) -> Characters:
        if self.at >= len(self.pattern):
            raise PatternError("the set is not closed", start)
        character = self.pattern[self.at]
        self.at += 1
        return self._escape() if character == "\\" else Characters(((character, character),))
