"""Lattices over the characters of a text, drawn arc by arc."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from app.tasks.corrections.kinds import Kind
from models.language.vocabulary import Vocabulary
from samplers.lattices.lattice import Lattice, Node

Place = tuple[int, int]
"""A character, and one of the places before it: (k, 0) is shared by all paths that come there."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A lattice, and how its arcs are read.

    Attributes:
        lattice: the lattice.
        text: as it is given.
        offsets: the character that each node stands before.
        kinds: of error, by the piece that is replaced and what stands there instead.
        kind_of: the same of a single character and the one that is meant.
    """

    lattice: Lattice
    text: str
    offsets: Sequence[int]
    kinds: Mapping[tuple[int, int, str], Kind]
    kind_of: Callable[[str, str], Kind]


@dataclass(slots=True)
class _Columns:
    """The arcs that leave a place."""

    texts: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    stops: list[Place] = field(default_factory=list)
    distortions: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    hints: list[float] = field(default_factory=list)


class Drawing:
    """A lattice in the making.

    Args:
        text: whose characters it is over.
        vocabulary: of its tokens.
    """

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text, self._vocabulary = text, vocabulary
        self._columns: dict[Place, _Columns] = {(at, 0): _Columns() for at in range(len(text))}
        self._kinds: dict[tuple[int, int, str], Kind] = {}
        self._numbers = count(8)  # beyond the bytes of a character

    def arc(self, at: int, token: int, written: str, distortion: float, reward: float, hint: float = 0.0) -> None:
        """A token that stands for as many characters as it writes."""
        self._put((at, 0), (at + len(written), 0), token, written, distortion, reward, hint)

    def characters(
        self,
        at: int,
        tokens: Sequence[int],
        written: Sequence[str],
        distortions: Sequence[float],
        hints: Sequence[float],
    ) -> None:
        """Tokens that stand for a single character each."""
        columns = self._columns[at, 0]
        columns.texts += written
        columns.tokens += tokens
        columns.stops += [(at + 1, 0)] * len(tokens)
        columns.distortions += distortions
        columns.rewards += [0.0] * len(tokens)
        columns.hints += hints

    def chain(self, start: int, stop: int, new: str, kind: Kind, distortion: float, reward: float, hint: float) -> None:
        """A piece for which something else stands, of any length.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        tokens = self._vocabulary.spell(new)
        place: Place = (start, 0)
        for token in tokens[:-1]:
            onward = (start, next(self._numbers))
            self._put(place, onward, token, "", distortion, reward, hint)
            place, distortion, reward = onward, 0.0, 0.0
        self._put(place, (stop, 0), tokens[-1], new, distortion, reward, hint)
        self._kinds[start, stop, new] = kind

    def done(self, kind_of: Callable[[str, str], Kind]) -> Drawn:
        """The lattice, with the path that writes the text as it is given.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        given = self._given()
        places = sorted(self._columns)
        last = len(self._text)
        numbers = {place: number for number, place in enumerate([*places, (last, 0)])}
        nodes = [_node(self._columns[place], numbers) for place in places]
        lattice = Lattice([*nodes, Node.of([])], given)
        return Drawn(lattice, self._text, [*(at for at, _ in places), last], self._kinds, kind_of)

    def _given(self) -> list[int]:
        """Numbers of the arcs of the given path, drawn where they are not yet."""
        numbers: list[int] = []
        place: Place = (0, 0)
        for token in self._vocabulary.spell(self._text):
            at, read = place
            columns = self._columns.setdefault(place, _Columns())
            part = self._vocabulary.byte_pieces.get(token)
            if part is not None:
                read += len(part)
                whole = read == len(self._text[at].encode())
                onward, written = ((at + 1, 0), self._text[at]) if whole else ((at, read), "")
            else:
                written = self._vocabulary.piece(token)
                onward = (at + len(written), 0)
            same = (
                n
                for n, (t, s) in enumerate(zip(columns.tokens, columns.stops, strict=True))
                if (t, s) == (token, onward)
            )
            if (number := next(same, None)) is None:
                number = len(columns.tokens)
                self._put(place, onward, token, written)
            numbers.append(number)
            place = onward
        return numbers

    def _put(
        self,
        place: Place,
        stop: Place,
        token: int,
        written: str,
        distortion: float = 0.0,
        reward: float = 0.0,
        hint: float = 0.0,
    ) -> None:
        columns = self._columns.setdefault(place, _Columns())
        columns.texts.append(written)
        columns.tokens.append(token)
        columns.stops.append(stop)
        columns.distortions.append(distortion)
        columns.rewards.append(reward)
        columns.hints.append(hint)


def _node(columns: _Columns, numbers: Mapping[Place, int]) -> Node:
    return Node(
        columns.texts,
        np.array(columns.tokens, dtype=np.int64),
        np.array([numbers[stop] for stop in columns.stops], dtype=np.int64),
        np.array(columns.distortions),
        np.array(columns.rewards),
        np.array(columns.hints),
    )
