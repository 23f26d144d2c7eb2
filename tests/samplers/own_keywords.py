"""The toy's sentences with some of their own places as keywords, of which exact draws are known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.once import SaidOnce
from samplers.constraints.words import spaced_boundaries
from samplers.first_states import KeywordBlocks
from samplers.labellings import labellings
from samplers.potentials.base import Potential, Product
from samplers.rejection import Rejection
from samplers.state import State
from samplers.target import Target
from samplers.testing.perfect_start import (
    ChosenPlaces,
    Keywords,
    Places,
    every_token,
    keywords_of,
    perfect_starts,
)
from samplers.testing.toy import ENDS, INTERIOR, PIECES, STOP, ToyLanguage, decode
from tests.samplers.draws import closes, free
from tests.samplers.spaces import CountA

LONGEST = 5
MODEL = ToyLanguage()


def toy_words(tokens: Sequence[int]) -> list[slice]:
    """The words of a toy sentence: a piece with a space, and what grows it."""
    begins = [i for i, token in enumerate(tokens[:-1]) if i == 0 or PIECES[token].startswith(" ")]
    return [slice(*edges) for edges in pairwise([*begins, len(tokens) - 1])]


@dataclass(frozen=True)
class Law:
    """The toy's sentences with some of their own places as keywords.

    Attributes:
        places: of a sentence.
        count: number of keywords.
        ordered: whether they keep their order.
        phi: a potential of the sentences, and its greatest value.
        forbidden: words.
        once: whether the keywords are whole words that are said once.
    """

    places: Places = every_token
    count: int = 1
    ordered: bool = False
    phi: tuple[Potential, float] | None = None
    forbidden: tuple[str, ...] = ()
    once: bool = False

    @property
    def constraints(self) -> list[Constraint]:
        return [LengthBounds(length_in_tokens, 0, LONGEST), ForbiddenWords(self.forbidden)]

    def target(self, keywords: Keywords) -> Target:
        """What chains with the keywords sample."""
        phi = [] if self.phi is None else [(1.0, self.phi[0])]
        said = [[decode(tokens)] for tokens in keywords]
        once = [AllKeywords(said, spaced_boundaries), SaidOnce(said, spaced_boundaries, decode)]
        return Target(
            decode, [*self.constraints, *(once if self.once else ())], Product([(1.0, ChosenPlaces(self.places)), *phi])
        )

    def blocks(self, keywords: Keywords) -> KeywordBlocks:
        """For first states."""
        return KeywordBlocks([[tokens] for tokens in keywords], self.ordered, STOP)

    def admits(self, state: State) -> bool:
        """Whether chains with the state's keywords may stand there."""
        free_tokens = all(free(state.tokens[i]) for i in state.free)
        return free_tokens and self.target(keywords_of(state)).admits(state)

    def starts(self, sentences: int, seed: int = 1) -> list[State]:
        """Exact draws, from so many sentences."""
        phi, ceiling = self.phi or (None, 0.0)
        target = Target(decode, self.constraints, phi)
        nothing = KeywordBlocks([], False, STOP)
        drawn = Rejection(
            target, nothing, lambda token: token not in ENDS, closes, 10**6, sentences, LONGEST, 500, ceiling
        )
        return asyncio.run(perfect_starts(drawn, MODEL, self.places, self.count, seed, self.ordered, self.admits))

    def states(self, keywords: Keywords) -> list[State]:
        """Every state of chains with the keywords."""
        letters = sorted({*INTERIOR, *(token for tokens in keywords for token in tokens)})
        texts = (
            (*inner, end) for length in range(LONGEST) for inner in product(letters, repeat=length) for end in ENDS
        )
        blocks = self.blocks(keywords)
        found = [state for text in texts for state in labellings(text, blocks, free)]
        return [
            state
            for state in found
            if self.admits(state) and all(state.block(k) in self.places(state.tokens) for k in state.keywords)
        ]


LAWS = {
    "a token": Law(),
    "two tokens": Law(count=2),
    "two in order": Law(count=2, ordered=True),
    "a whole word, said once": Law(toy_words, once=True),
    "a word and a potential": Law(toy_words, phi=(Product([(0.4, CountA())]), 1.6), forbidden=("c",)),
}


@cache
def starts_of(name: str, size: int) -> list[State]:
    """So many exact draws."""
    found = LAWS[name].starts(4 * size)
    assert len(found) >= size
    return found[:size]
