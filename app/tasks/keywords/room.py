"""Requests whose length leaves room for the keywords alone: all their sentences are few, and are tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import factorial, prod

from app.languages.base import Language
from app.web.codes import Code
from app.web.problems import invalid
from models.language.vocabulary import Vocabulary
from samplers.constraints.length import LengthBounds
from samplers.first_states import KeywordBlocks
from samplers.state import State
from samplers.target import Target

MOST_SENTENCES = 2000
"""With more of them it is left to the sampler to find one."""


def refuse_without_room(
    blocks: KeywordBlocks, target: Target, vocabulary: Vocabulary, length: LengthBounds, unit: str, language: Language
) -> None:
    """Refuse a request where nothing fits beside the keywords and no order or form of them is a sentence.

    Raises:
        ProblemError: 422.
    """
    if length.maximum is None or (unit == "words" and not language.words_apart):
        return
    if blocks.scaffold:  # its tokens are not all that fits
        return
    count = prod(map(len, blocks.forms)) * (1 if blocks.ordered else factorial(len(blocks.forms))) * vocabulary.ends
    if count * (2 ** (len(blocks.forms) - 1) if unit == "words" else 1) > MOST_SENTENCES:
        return
    closest = ""
    for state in _bare(blocks, vocabulary):
        text = target.decode(state.tokens)
        if length.measure(state, text) < length.maximum or target.violation(state) == 0:
            return
        # Of all that may be inserted, commas alone make a sentence no longer in words.
        if unit == "words" and any(target.violation(parted) == 0 for parted in _parted(state, vocabulary)):
            return
        closest = closest or text
    raise invalid(
        "length.max",
        Code.INFEASIBLE,
        f"{length.maximum} {unit} leave no room beside the keywords, and by themselves they make no sentence that "
        f"holds every constraint, such as {closest!r}",
        f"give at least {length.maximum + 2 * len(blocks.forms)}",
    )


def _bare(blocks: KeywordBlocks, vocabulary: Vocabulary) -> Iterator[State]:
    """The sentences of nothing but keywords."""
    for order in blocks.orders():
        for forms in product(*(blocks.forms[keyword] for keyword in order)):
            for end in vocabulary.end_tokens:
                yield State.assemble(list(zip(order, forms, strict=True)), end)


def _parted(state: State, vocabulary: Vocabulary) -> Iterator[State]:
    """The sentence with commas between some of its keywords."""
    try:
        (comma,) = vocabulary.spell(",")
    except ValueError:  # a mask without a comma
        return
    inner = [gap for gap in state.gaps if 0 < gap < state.end]
    for chosen in product((False, True), repeat=len(inner)):
        parted = state
        for gap in (gap for gap, here in zip(reversed(inner), reversed(chosen), strict=True) if here):
            parted = parted.inserted(gap, comma)
        yield parted
