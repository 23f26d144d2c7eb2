"""Sentences of a pattern that hold given blocks: the shortest, with tokens drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from samplers.first_states import KeywordBlocks
from samplers.patterns.automaton import DEAD, Automaton
from samplers.state import FREE, State

_TRIES = 20
"""Orders and forms of the blocks that are tried for a sentence."""
_MOST_TOKENS = 32
"""Tokens that are remembered of those that lead from one state to another."""
_PADDING = -2

Place = tuple[int, int, bool]
"""State of the automaton, blocks laid, and whether the sentence has begun."""


@dataclass(eq=False)
class Skeletons:
    """Sentences by breadth-first search over the automaton's states and the blocks laid so far.

    Attributes:
        automaton: of the pattern.
        blocks: of the sentence.
        piece: text of a token, its leading space kept.
        free: tokens that may be free.
        first: those of them that may open a sentence.
        ends: tokens that may close the sentence.
    """

    automaton: Automaton
    blocks: KeywordBlocks
    piece: Callable[[int], str]
    free: Collection[int]
    first: Collection[int]
    ends: Sequence[int]
    _ways: dict[tuple[int, bool], list[tuple[int, list[int]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tokens = {True: sorted(self.free), False: sorted(self.first)}
        self._kinds = {begun: self._matrix(begun) for begun in (False, True)}
        # A state more, in which all that is lost stays.
        lost = np.full((1, self.automaton.table.shape[1]), DEAD, dtype=np.int32)
        self._table = np.concatenate([self.automaton.table, lost])

    def _matrix(self, begun: bool) -> npt.NDArray[np.int32]:
        """Kinds of the characters of each free token, padded; shape (tokens, longest)."""
        texts = [self.piece(token) if begun else self.piece(token).lstrip() for token in self._tokens[begun]]
        matrix = np.full((len(texts), max(map(len, texts), default=0)), _PADDING, dtype=np.int32)
        for row, text in zip(matrix, texts, strict=True):
            row[: len(text)] = [self.automaton.kind(character) for character in text]
        return matrix

    def draw(self, rng: np.random.Generator) -> State | None:
        """A sentence with the blocks in a drawn order and form; None if no order and form that was tried has one."""
        for _ in range(_TRIES):
            if (found := self._search(self.blocks.draw(rng), rng)) is not None:
                return found
        return None

    def _search(self, laid: Sequence[tuple[int, tuple[int, ...]]], rng: np.random.Generator) -> State | None:
        first: Place = (0, 0, False)
        came: dict[Place, tuple[Place, int, tuple[int, ...]]] = {}
        for place in (queue := [first]):
            state, number, begun = place
            if number == len(laid):
                for end in self.ends:
                    text = self.piece(end) if begun else self.piece(end).lstrip()
                    read, after = self.automaton.read(text, state)
                    if read == len(text) and not self.automaton.remaining[after]:
                        return self._assembled(place, first, came, end)
            for onward, owner, tokens in self._onward(place, laid, rng):
                if onward not in came:
                    came[onward] = (place, owner, tokens)
                    queue.append(onward)
        return None

    def _onward(
        self, place: Place, laid: Sequence[tuple[int, tuple[int, ...]]], rng: np.random.Generator
    ) -> Iterator[tuple[Place, int, tuple[int, ...]]]:
        state, number, begun = place
        if number < len(laid):
            owner, tokens = laid[number]
            text = "".join(map(self.piece, tokens))
            text = text if begun else text.lstrip()
            read, after = self.automaton.read(text, state)
            if read == len(text):
                yield (after, number + 1, True), owner, tokens
        if self.blocks.free_before(number):
            ways = self._ways_from(state, begun)
            for way in rng.permutation(len(ways)):
                after, choices = ways[int(way)]
                yield (after, number, True), FREE, (choices[int(rng.integers(len(choices)))],)

    def _ways_from(self, state: int, begun: bool) -> list[tuple[int, list[int]]]:
        """States that a free token leads to, each with some of the tokens that do."""
        if (state, begun) not in self._ways:
            matrix = self._kinds[begun]
            at = np.full(len(matrix), state)
            for kinds in matrix.T:
                at = np.where(kinds == _PADDING, at, np.where(kinds < 0, DEAD, self._table[at, np.maximum(kinds, 0)]))
            order = np.random.default_rng(0).permutation(len(at))
            groups: dict[int, list[int]] = {}
            for number in order[at[order] != DEAD]:
                group = groups.setdefault(int(at[number]), [])
                if len(group) < _MOST_TOKENS:
                    group.append(self._tokens[begun][number])
            self._ways[state, begun] = list(groups.items())
        return self._ways[state, begun]

    def _assembled(
        self, place: Place, first: Place, came: dict[Place, tuple[Place, int, tuple[int, ...]]], end: int
    ) -> State:
        parts: list[tuple[int, tuple[int, ...]]] = []
        while place != first:
            place, owner, tokens = came[place]
            parts.append((owner, tokens))
        return State.assemble(parts[::-1], end)
