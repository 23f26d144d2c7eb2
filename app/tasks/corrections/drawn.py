"""Lattices over the characters of a text, drawn arc by arc."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import compress, count

import numpy as np

from app.tasks.corrections.edits import Edit
from app.tasks.corrections.kinds import Kind
from models.language.vocabulary import SpellingError, Vocabulary
from samplers.lattices.lattice import Lattice, Node

Place = tuple[int, int]
"""A character, and one of the places before it: (k, 0) is shared by all paths that come there."""

TWIN = 1
"""Number of the place that an inserted token leads to; those within the bytes of a character follow."""

KindOf = Callable[[str, str], Kind]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A lattice, and how its arcs are read.

    Attributes:
        lattice: the lattice.
        text: as it is given.
        offsets: the character that each node stands before.
        edits: by what an arc or a chain of them stands for, from where to where, and what it writes.
        kind_of: kind of error of a single character and the one that is meant, where no edit is known.
    """

    lattice: Lattice
    text: str
    offsets: Sequence[int]
    edits: Mapping[tuple[int, int, str], Edit]
    kind_of: KindOf | None


@dataclass(slots=True)
class _Columns:
    """The arcs that leave a place."""

    texts: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    stops: list[Place] = field(default_factory=list)
    distortions: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    hints: list[float] = field(default_factory=list)

    def but_to(self, place: Place) -> _Columns:
        """The same without the arcs that lead to a place."""
        kept = [stop != place for stop in self.stops]
        columns = (self.texts, self.tokens, self.stops, self.distortions, self.rewards, self.hints)
        return _Columns(*(list(compress(column, kept)) for column in columns))  # type: ignore[arg-type]


class Drawing:
    """A lattice in the making.

    Args:
        text: whose characters it is over.
        vocabulary: of its tokens.
    """

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._text, self._vocabulary = text, vocabulary
        self._columns: dict[Place, _Columns] = {(at, 0): _Columns() for at in range(len(text))}
        self._edits: dict[tuple[int, int, str], Edit] = {}
        self._twins: set[int] = set()
        self._numbers = count(TWIN + 8)  # beyond the bytes of a character

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

    def chain(
        self,
        start: int,
        stop: int,
        new: str,
        kind: Kind,
        distortion: float,
        reward: float,
        hint: float,
        edit: Edit | None = None,
    ) -> None:
        """A piece for which something else stands, of any length; the edit is told if it is of less than the piece.

        What the vocabulary cannot write is left out.
        """
        try:
            tokens = self._vocabulary.spell(new)
        except SpellingError:
            return
        place: Place = (start, 0)
        for token in tokens[:-1]:
            onward = (start, next(self._numbers))
            self._put(place, onward, token, "", distortion, reward, hint)
            place, distortion, reward = onward, 0.0, 0.0
        self._put(place, (stop, 0), tokens[-1], new, distortion, reward, hint)
        self._edits.setdefault((start, stop, new), edit or Edit(start, stop, new, kind))

    def inserted(
        self, at: int, token: int, new: str, kind: Kind, distortion: float, reward: float, hint: float
    ) -> None:
        """A token that is put in before a character; what goes on from there goes on from it, but for another."""
        self._twins.add(at)
        self._put((at, 0), (at, TWIN), token, new, distortion, reward, hint)
        self._edits[at, at, new] = Edit(at, at, new, kind)

    def deleted(
        self, start: int, stop: int, token: int, after: str, kind: Kind, distortion: float, reward: float, hint: float
    ) -> None:
        """A piece that is left out, with the token that writes what follows it."""
        self._put((start, 0), (stop + len(after), 0), token, after, distortion, reward, hint)
        self._edits.setdefault((start, stop + len(after), after), Edit(start, stop, "", kind))

    def done(self, kind_of: KindOf | None = None) -> Drawn:
        """The lattice, with the path that writes the text as it is given.

        Args:
            kind_of: kind of error of a character that stands for another, if arcs have such.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        given = self._given()
        for at in self._twins:
            self._columns[at, TWIN] = self._columns[at, 0].but_to((at, TWIN))
        places = sorted(self._columns)
        last = len(self._text)
        numbers = {place: number for number, place in enumerate([*places, (last, 0)])}
        nodes = [_node(self._columns[place], numbers) for place in places]
        lattice = Lattice([*nodes, Node.of([])], given)
        return Drawn(lattice, self._text, [*(at for at, _ in places), last], self._edits, kind_of)

    def given_tokens(self) -> dict[int, tuple[int, str]]:
        """Of the text as it is given the tokens that begin and end between characters, with what they write."""
        return {
            start: (token, written)
            for (start, number), token, (_, after), written in self._given_steps()
            if number == after == 0
        }

    def _given_steps(self) -> Iterator[tuple[Place, int, Place, str]]:
        """The tokens of the text as it is given, each with the places before and after it and what it writes."""
        place: Place = (0, 0)
        for token in self._vocabulary.spell(self._text):
            at, number = place
            part = self._vocabulary.byte_pieces.get(token)
            if part is not None:
                read = max(number - TWIN, 0) + len(part)
                whole = read == len(self._text[at].encode())
                onward, written = ((at + 1, 0), self._text[at]) if whole else ((at, TWIN + read), "")
            else:
                written = self._vocabulary.piece(token)
                onward = (at + len(written), 0)
            yield place, token, onward, written
            place = onward

    def _given(self) -> list[int]:
        """Numbers of the arcs of the given path, drawn where they are not yet."""
        numbers: list[int] = []
        for place, token, onward, written in self._given_steps():
            columns = self._columns.setdefault(place, _Columns())
            same = (
                n
                for n, (t, s) in enumerate(zip(columns.tokens, columns.stops, strict=True))
                if (t, s) == (token, onward)
            )
            if (arc := next(same, None)) is None:
                arc = len(columns.tokens)
                self._put(place, onward, token, written)
            numbers.append(arc)
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


def single_tokens(vocabulary: Vocabulary, texts: Iterable[str]) -> dict[str, int]:
    """Those of some texts that are a single token, with it."""
    found = {}
    for text in texts:
        with suppress(SpellingError):
            tokens = vocabulary.spell(text)
            if len(tokens) == 1:
                found[text] = tokens[0]
    return found


def _node(columns: _Columns, numbers: Mapping[Place, int]) -> Node:
    return Node(
        columns.texts,
        np.array(columns.tokens, dtype=np.int64),
        np.array([numbers[stop] for stop in columns.stops], dtype=np.int64),
        np.array(columns.distortions),
        np.array(columns.rewards),
        np.array(columns.hints),
    )
