"""Stems: hypotheses written up to the next choice of the model, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.writers.base import Extended, Extension, Session

NOWHERE = -1
"""The child of the end token."""


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """A hypothesis, written up to the next choice."""

    question: int  # its number
    tokens: tuple[int, ...]  # all that is written
    run: int  # how many of these came with the last choice: the chosen token and those it forces
    written: NDArray[np.float64]  # (run,) raw log-probabilities of these; zeros if raw ones are not known
    tokens_next: NDArray[np.int64]  # (A,) may follow, the end token last; none if the last one written is the end token
    children: NDArray[np.int64]  # (A,) the node that each leads to
    renormalised: NDArray[np.float64]  # (A,) log-probabilities over tokens_next
    raw: NDArray[np.float64] | None  # (A,) log-probabilities over the full vocabulary; None if they are not known
    state: object | None  # the model's, to be extended


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of the tokens that may follow a stem; a question's beginning if there is no stem."""

    question: int
    stem: Stem | None
    at: int = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        """All tokens written once it is chosen."""
        return () if self.stem is None else (*self.stem.tokens, int(self.stem.tokens_next[self.at]))


T = TypeVar("T")
Course = Generator[Sequence[Choice], Sequence[Stem], T]
"""What asks for the stems behind choices, and returns what it was for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    run: list[int]
    tokens: NDArray[np.int64]
    children: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Walker:
    """Follows choices to the stems that they lead to, many at once.

    Where the index leaves one token only, that token is taken without asking the model; the run is
    fed in one forward with the next choice. Renormalised, its tokens have probability one.
    """

    index: PrefixIndex
    session: Session  # the questions as the model has read them
    end: int  # the model's end token
    raw: bool  # whether raw log-probabilities are wanted

    def follow(self, choices: Sequence[Choice]) -> list[Stem]:
        """The stem behind each choice."""
        walks = self._walk(choices)
        asking = [i for i, walk in enumerate(walks) if self.raw or len(walk.tokens)]
        extensions = [self._extension(choices[i], walks[i]) for i in asking]
        answers = self.session.extend(extensions, raw=self.raw) if extensions else []
        extended = dict(zip(asking, answers, strict=True))
        return [
            self._stem(choice, walk, extended.get(i))
            for i, (choice, walk) in enumerate(zip(choices, walks, strict=True))
        ]

    def together(self, courses: Mapping[int, Course[T]]) -> Iterator[dict[int, T]]:
        """Follow numbered courses side by side, a forward at a time.

        Yields:
            After each forward what those return that it has ended, often none.
        """
        wanted = {number: next(course) for number, course in courses.items()}
        while wanted:
            stems = iter(self.follow([choice for choices in wanted.values() for choice in choices]))
            asked, wanted = wanted, {}
            ended: dict[int, T] = {}
            for number, choices in asked.items():
                try:
                    wanted[number] = courses[number].send([next(stems) for _ in choices])
                except StopIteration as done:
                    ended[number] = done.value
            yield ended

    def _stem(self, choice: Choice, walk: _Walk, answer: Extended | None) -> Stem:
        """Put the answers of index and model together; there is none of the model where only the end may follow."""
        before = choice.stem
        ended = not len(walk.tokens)
        run = (*walk.run, self.end) if ended else tuple(walk.run)
        written = np.zeros(len(run))
        if answer is not None and answer.written is not None and answer.raw is not None:
            written = np.concatenate((answer.written, answer.raw)) if ended else answer.written.copy()
            if before is not None and before.raw is not None:
                written[0] = before.raw[choice.at]
        return Stem(
            choice.question,
            run if before is None else before.tokens + run,
            len(run),
            written,
            walk.tokens,
            walk.children,
            np.empty(0) if ended or answer is None else answer.renormalised,
            None if ended or answer is None else answer.raw,
            None if answer is None else answer.state,
        )

    def _extension(self, choice: Choice, walk: _Walk) -> Extension:
        asked = walk.tokens if len(walk.tokens) else np.array([self.end])
        return Extension(choice.question, None if choice.stem is None else choice.stem.state, tuple(walk.run), asked)

    def _walk(self, choices: Sequence[Choice]) -> list[_Walk]:
        """Runs and their successors; ``tokens`` is empty where only the end token may follow."""
        runs = [[] if one.stem is None else [int(one.stem.tokens_next[one.at])] for one in choices]
        nodes = [self.index.root if one.stem is None else int(one.stem.children[one.at]) for one in choices]
        walks: dict[int, _Walk] = {}
        active = list(range(len(choices)))
        while active:
            allowed = self.index.allowed(np.array([nodes[i] for i in active], dtype=np.int64))
            going: list[int] = []
            for place, i in enumerate(active):
                span = allowed.span(place)
                tokens, children, final = allowed.tokens[span], allowed.children[span], bool(allowed.final[place])
                if len(tokens) == 1 and not final:
                    runs[i].append(int(tokens[0]))
                    nodes[i] = int(children[0])
                    going.append(i)
                else:
                    if final and len(tokens):
                        tokens, children = np.append(tokens, self.end), np.append(children, NOWHERE)
                    walks[i] = _Walk(runs[i], tokens, children)
            active = going
        return [walks[i] for i in range(len(choices))]
