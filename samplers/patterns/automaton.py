"""Deterministic automaton of a pattern, with a bound on its states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from samplers.patterns.syntax import Characters, Choice, Node, Sequence, parse

MOST_STATES = 2000
"""Of the deterministic automaton; of the one that it is made of, ten times as many."""
DEAD = -1


class ExplosionError(ValueError):
    """A pattern's automaton has more states than :data:`MOST_STATES`."""


@dataclass(slots=True)
class _Builder:
    """Thompson's construction (Programming Techniques: Regular expression search algorithm, CACM 1968)."""

    silent: list[list[int]] = field(default_factory=list)
    edges: list[list[tuple[int, int]]] = field(default_factory=list)
    sets: dict[Characters, int] = field(default_factory=dict)

    def state(self) -> int:
        if len(self.silent) >= 10 * MOST_STATES:
            raise ExplosionError(f"written out it has more than {10 * MOST_STATES} states")
        self.silent.append([])
        self.edges.append([])
        return len(self.silent) - 1

    def build(self, node: Node, start: int) -> int:
        """Add a part after a state; the state that it ends in."""
        if isinstance(node, Characters):
            stop = self.state()
            self.edges[start].append((self.sets.setdefault(node, len(self.sets)), stop))
            return stop
        if isinstance(node, Sequence):
            for part in node.parts:
                start = self.build(part, start)
            return start
        if isinstance(node, Choice):
            stop = self.state()
            for part in node.parts:
                begin = self.state()
                self.silent[start].append(begin)
                self.silent[self.build(part, begin)].append(stop)
            return stop
        for _ in range(node.least):
            start = self.build(node.part, start)
        if node.most is None:
            begin, stop = self.state(), self.state()
            self.silent[start] += [begin, stop]
            self.silent[self.build(node.part, begin)] += [begin, stop]
            return stop
        stop = self.state()
        for _ in range(node.most - node.least):
            self.silent[start].append(stop)
            begin = self.state()
            self.silent[start].append(begin)
            start = self.build(node.part, begin)
        self.silent[start].append(stop)
        return stop

    def closed(self, states: Iterable[int]) -> frozenset[int]:
        """The states and those that they reach silently."""
        seen, left = set(states), list(states)
        while left:
            for other in self.silent[left.pop()]:
                if other not in seen:
                    seen.add(other)
                    left.append(other)
        return frozenset(seen)


@dataclass(frozen=True, eq=False)
class Automaton:
    """States 0, 1, ... of which 0 is the first; characters are told apart by their kind alone.

    Attributes:
        table: next state by state and kind, :data:`DEAD` where no text of the language goes on so; shape (S, K).
        remaining: characters at least from each state to the end of a text of the language, shape (S,).
        kinds: kind of each character of the alphabet.
        sets: character sets of the pattern, by which other characters get their kind.
        codes: kind by the sets that hold a character, as bits.
    """

    table: npt.NDArray[np.int32]
    remaining: npt.NDArray[np.int32]
    kinds: dict[str, int]
    sets: tuple[Characters, ...]
    codes: dict[int, int]

    @classmethod
    def compile(cls, pattern: str, alphabet: Iterable[str]) -> Automaton:
        """The automaton of a pattern over an alphabet, whose characters alone may complete a text.

        Raises:
            PatternError: it cannot be read.
            ExplosionError: it has too many states.
            ValueError: no text over the alphabet matches.
        """
        builder = _Builder()
        start = builder.state()
        final = builder.build(parse(pattern), start)
        sets = tuple(builder.sets)
        codes: dict[int, int] = {}
        kinds = {c: codes.setdefault(_code(c, sets), len(codes)) for c in alphabet}
        numbers: dict[frozenset[int], int] = {builder.closed([start]): 0}
        rows: list[list[int]] = []
        # The dict grows while its keys are worked through, in order.
        for states in (queue := list(numbers)):
            row: list[int] = []
            for code in codes:
                reached = [to for state in states for number, to in builder.edges[state] if code >> number & 1]
                if not reached:
                    row.append(DEAD)
                    continue
                closed = builder.closed(reached)
                if closed not in numbers:
                    if len(numbers) >= MOST_STATES:
                        raise ExplosionError(f"its automaton has more than {MOST_STATES} states")
                    numbers[closed] = len(numbers)
                    queue.append(closed)
                row.append(numbers[closed])
            rows.append(row)
        table = np.array(rows, dtype=np.int32).reshape(len(rows), len(codes))
        remaining = _remaining(table, [final in states for states in numbers])
        if remaining[0] < 0:
            raise ValueError("no text matches it")
        # Where nothing leads to an end, a text is lost.
        lost = np.append(remaining < 0, False)
        table[lost[table]] = DEAD
        return cls(table, remaining, kinds, sets, codes)

    def kind(self, character: str) -> int:
        """The kind of a character; -1 for one that is unlike all of the alphabet."""
        if (known := self.kinds.get(character)) is None:
            known = self.kinds[character] = self.codes.get(_code(character, self.sets), DEAD)
        return known

    def read(self, text: str, state: int = 0) -> tuple[int, int]:
        """Characters read before the text is lost, and the state in which it is then."""
        for number, character in enumerate(text):
            kind = self.kind(character)
            following = DEAD if kind < 0 else int(self.table[state, kind])
            if following == DEAD:
                return number, state
            state = following
        return len(text), state


def _code(character: str, sets: tuple[Characters, ...]) -> int:
    return sum(1 << number for number, each in enumerate(sets) if character in each)


def _remaining(table: npt.NDArray[np.int32], final: list[bool]) -> npt.NDArray[np.int32]:
    """Least number of steps from each state to a final one; -1 where there is no way."""
    before: list[list[int]] = [[] for _ in final]
    for state, row in enumerate(table.tolist()):
        for other in {*row} - {DEAD}:
            before[other].append(state)
    steps = [0 if ends else -1 for ends in final]
    for state in (queue := [state for state, ends in enumerate(final) if ends]):
        for other in before[state]:
            if steps[other] < 0:
                steps[other] = steps[state] + 1
                queue.append(other)
    return np.array(steps, dtype=np.int32)
