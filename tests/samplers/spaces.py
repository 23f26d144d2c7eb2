"""Enumerable spaces, each said twice: as the product's target and, independently, as a predicate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.framed import Framed
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.leading_space import LeadingSpace
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.part import InPart, Part
from samplers.constraints.words import spaced_boundaries
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.redraw_span import RedrawSpan
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
from samplers.moves.shift import Shift
from samplers.moves.swap import Swap
from samplers.objective import Objective
from samplers.potentials.base import Product
from samplers.schedules import constant
from samplers.state import State
from samplers.target import Target
from samplers.testing.toy import ENDS, INTERIOR, PIECES, STOP, A, B, K, S, T, ToyLanguage, decode
from tests.samplers.enumeration import Law, Space

EPSILON = 0.1
BONUS = 0.9
SHARE = 0.7
REWARD = 0.4
POWER = 1.5
CLOSING = 0.8

Forms = tuple[tuple[tuple[int, ...], ...], ...]


def words(tokens: Sequence[int]) -> list[str]:
    """Words of a toy sentence without its closing mark."""
    return decode(tokens)[:-1].split()


class CountA:
    """A plain potential: the number of words "a"."""

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
        return np.array([float(text.count("a")) for text in texts])


@dataclass
class Network:
    """A potential as a network is one: slow, in batches, by the tokens' vectors; no sentence has "b" twice in a row.

    Attributes:
        asked: the states of each call.
    """

    asked: list[list[State]] = field(default_factory=list)

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
        self.asked.append(list(states))
        await asyncio.sleep(0)
        longest = max(map(len, states))
        padded = np.zeros((len(states), longest, 3))
        for row, state in zip(padded, states, strict=True):
            row[: len(state)] = VECTORS[list(state.tokens)]
        values = np.tanh((padded * DECAY[:longest, None]).sum(1)) @ READOUT
        return np.where(["bb" in text.replace(" ", "") for text in texts], -np.inf, values)


_RANDOM = np.random.default_rng(1)
VECTORS, READOUT, DECAY = _RANDOM.normal(size=(8, 3)), _RANDOM.normal(size=3), 0.8 ** np.arange(32)


def potential(tokens: tuple[int, ...]) -> float:
    """The product of both potentials, from the tokens of one sentence."""
    if any(pair == (B, B) for pair in zip(tokens, tokens[1:], strict=False)):
        return -np.inf
    hidden = sum(0.8**i * VECTORS[token] for i, token in enumerate(tokens))
    return BONUS * tokens.count(A) + SHARE * float(sum(np.tanh(hidden) * READOUT))


@dataclass(frozen=True)
class Case:
    """One space.

    Attributes:
        name: for the test's id.
        space: as the enumeration sees it.
        constraints: as the product sees it.
        first: a state with two free tokens, so that replacements alone have room.
        connected: mixes under which every state reaches every other.
        widest: the mix with every move that the space is meant for.
    """

    name: str
    space: Space
    constraints: tuple[Constraint, ...]
    first: State
    connected: frozenset[str]
    widest: str
    model: ToyLanguage = field(default_factory=ToyLanguage)

    def target(self, with_potential: bool = False) -> Target:
        """The product's target; with potential, with another objective too."""
        if with_potential:
            soft = Product([(BONUS, CountA()), (SHARE, Network())])
            return Target(decode, self.constraints, soft, Objective(REWARD, POWER, CLOSING))
        return Target(decode, self.constraints)

    def law(self, weights: dict[str, float], beta: float = 1.0, with_potential: bool = False, delayed: int = 0) -> Law:
        """The independent law."""
        law = Law(self.space, self.model.probabilities, weights, EPSILON, beta, delayed=delayed)
        if with_potential:
            law = replace(law, potential=potential, reward=REWARD, power=POWER, closing=CLOSING)
        return law

    def kernel(
        self, weights: dict[str, float], beta: float = 1.0, with_potential: bool = False, delayed: int = 0
    ) -> MetropolisHastings:
        """The product's kernel."""
        target, mix = self.target(with_potential), moves(weights, self.space.forms, self.space.ordered)
        if delayed:
            return DelayedAcceptance(target, mix, weights, constant(beta), tail=delayed)
        return MetropolisHastings(target, mix, weights, constant(beta))


def moves(weights: dict[str, float], forms: Forms, ordered: bool) -> list[Move]:
    """The product's moves of the given names."""
    every: list[Move] = [Replace(EPSILON), Insert(EPSILON), Delete(EPSILON), Swap(), Reform(forms)]
    every += [Redraw(ENDS, 2, EPSILON), RedrawSpan(2, EPSILON), Shift(ordered)]
    return [move for move in every if move.name in weights]


MIXES = {
    "replace": {"replace": 1.0},
    "insert+delete": {"insert": 0.65, "delete": 0.35},
    "edits": {"replace": 0.4, "insert": 0.4, "delete": 0.2},
    "edits+swap": {"replace": 0.3, "insert": 0.25, "delete": 0.25, "swap": 0.2},
    "edits+reform": {"replace": 0.3, "insert": 0.2, "delete": 0.3, "reform": 0.2},
    "all": {"replace": 0.25, "insert": 0.3, "delete": 0.2, "swap": 0.1, "reform": 0.15},
    "redraw": {"redraw": 1.0},
    "redraw_span": {"redraw_span": 1.0},
    "shift": {"shift": 1.0},
    "long": {"insert": 0.2, "delete": 0.1, "redraw": 0.3, "redraw_span": 0.25, "shift": 0.15},
    "every": {
        "replace": 0.15,
        "insert": 0.2,
        "delete": 0.1,
        "swap": 0.05,
        "reform": 0.1,
        "redraw": 0.15,
        "redraw_span": 0.15,
        "shift": 0.1,
    },
}
"""Unequal weights throughout, so that a ratio without them shows."""


def _has(tokens: tuple[int, ...], *keywords: str) -> bool:
    return all(keyword in words(tokens) for keyword in keywords)


def _in_order(tokens: tuple[int, ...], first: set[str], second: set[str]) -> bool:
    said = words(tokens)
    return any(said[i] in first and said[j] in second for j in range(len(said)) for i in range(j))


def blanks() -> Case:
    """k ___ t ___. with one or two tokens in each blank, of which the first begins with a space."""

    def filled(x: tuple[int, ...]) -> bool:
        first, second = x.index(T) - 1, len(x) - 2 - x.index(T)
        return x[0] == K and x[-1] == STOP and 1 <= first <= 2 and 1 <= second <= 2 and x[1] != S

    parts = (Part(0, 1), Part(1, None))
    lengths = (InPart(part, LengthBounds(length_in_tokens, 1, 2), decode) for part in parts)
    return Case(
        "blanks",
        Space(INTERIOR, ENDS, (((K,),), ((T,),)), True, 7, filled),
        (Framed(0, None, {STOP}), *lengths, InPart(parts[0], LeadingSpace(PIECES.__getitem__, True), decode)),
        State((K, A, T, B, STOP), (0, -1, 1, -1, -2)),
        frozenset(),
        "edits",
    )


def cases() -> list[Case]:
    """The spaces of the law tests."""
    ka, kt = (A,), (K, T)
    inflected: Forms = ((ka, (A, S), kt), ((B,), (B, S)))
    return [
        # No keywords: a least and a greatest length, and a word that must stand nowhere.
        Case(
            "free",
            Space(INTERIOR, ENDS, (), False, 4, lambda x: len(x) >= 2 and "c" not in words(x)),
            (LengthBounds(length_in_tokens, 2, 4), ForbiddenWords(("C",), spaced_boundaries)),
            State((A, B, S, 4), (-1, -1, -1, -2)),
            frozenset({"edits", "all", "every"}),
            "all",
        ),
        # Two keywords in any order, one of two glued tokens, each a whole word.
        Case(
            "unordered",
            Space(INTERIOR, ENDS, ((ka,), (kt,)), False, 6, lambda x: _has(x, "a", "kt") and "c" not in decode(x)),
            (
                LengthBounds(length_in_tokens, 0, 6),
                ForbiddenWords(("c",)),
                AllKeywords((("a",), ("kt",)), spaced_boundaries),
            ),
            State((A, B, S, K, T, 4), (0, -1, -1, 1, 1, -2)),
            frozenset({"edits+swap", "all", "every"}),
            "all",
        ),
        # Ordered keywords with several forms of unequal lengths; a free "s" can inflect a form too.
        Case(
            "forms",
            Space(INTERIOR, ENDS, inflected, True, 5, lambda x: _in_order(x, {"a", "as", "kt"}, {"b", "bs"})),
            (
                LengthBounds(length_in_tokens, 0, 5),
                AllKeywords((("a", "as", "kt"), ("b", "bs")), spaced_boundaries, ordered=True),
            ),
            State((A, A, S, B, 4), (0, -1, -1, 1, -2)),
            frozenset({"edits+reform"}),
            "edits+reform",
        ),
        # The keyword is also a free token: states alike but for labels, and x' reached by several paths.
        Case(
            "duplicates",
            Space(INTERIOR, ENDS, ((ka,),), False, 4, lambda x: True),
            (LengthBounds(length_in_tokens, 0, 4),),
            State((A, B, S, 4), (0, -1, -1, -2)),
            frozenset({"edits", "all", "every"}),
            "all",
        ),
    ]
