"""Labellings: the ways in which the tokens of a text are keyword blocks and free tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from samplers.first_states import KeywordBlocks
from samplers.state import END, FREE, State
from samplers.target import Target

Front = tuple[frozenset[int], tuple[int, ...]]
"""Keywords that have not begun, and the tokens that the block begun last still lacks."""


def eligible(blocks: KeywordBlocks, missing: frozenset[int]) -> Sequence[int]:
    """Blocks of which one may stand next, so that they stand in one of their orders in the end."""
    opening = [number for number in blocks.opening if number in missing]
    closing = [number for number in blocks.closing if number in missing]
    inner = sorted(missing.difference(opening, closing))
    if opening or not inner:
        return (opening or closing)[:1]
    waiting = {number for row in blocks.rows for number in [each for each in row if each in missing][1:]}
    return [number for number in inner if number not in waiting][: 1 if blocks.ordered else None]


def free_next(blocks: KeywordBlocks, missing: frozenset[int]) -> bool:
    """Whether a free token may stand next."""
    return blocks.free_before(len(blocks.forms) - len(missing))


def least_tokens(blocks: KeywordBlocks, missing: frozenset[int]) -> int:
    """Tokens that the missing keywords take at least."""
    return sum(min(map(len, blocks.forms[keyword])) for keyword in missing)


def hopeless(
    target: Target, blocks: KeywordBlocks, tokens: tuple[int, ...], owners: tuple[int, ...], missing: frozenset[int]
) -> bool:
    """Whether a constraint rules out every sentence that begins so."""
    shortest = [(keyword, min(blocks.forms[keyword], key=len)) for keyword in missing]
    least = State(
        (*tokens, *[token for _, form in shortest for token in form]),
        (*owners, *[keyword for keyword, form in shortest for _ in form]),
    )
    beginning = State(tokens, owners)
    text, least_text = target.decode(tokens), target.decode(least.tokens)
    return any(
        constraint.hopeless(*(least, least_text) if constraint.cumulative else (beginning, text))
        for constraint in target.constraints
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """All ways to read the beginning of a sentence as blocks and free tokens, side by side.

    Attributes:
        blocks: the keywords.
        free: whether a token may stand outside blocks.
        fronts: where each way stands; none if the beginning is of no state.
    """

    blocks: KeywordBlocks
    free: Callable[[int], bool]
    fronts: frozenset[Front] = field(default=frozenset())

    @classmethod
    def empty(cls, blocks: KeywordBlocks, free: Callable[[int], bool]) -> Self:
        """The beginning of no token."""
        return cls(blocks, free, frozenset({(frozenset(range(len(blocks.forms))), ())}))

    def after(self, token: int) -> Reading:
        """One token more."""
        return Reading(self.blocks, self.free, frozenset(self._next(token)))

    def _next(self, token: int) -> Iterator[Front]:
        free = self.free(token)
        for missing, rest in self.fronts:
            if rest:
                if rest[0] == token:
                    yield missing, rest[1:]
                continue
            if free and free_next(self.blocks, missing):
                yield missing, ()
            for keyword in eligible(self.blocks, missing):
                for form in self.blocks.forms[keyword]:
                    if form[0] == token:
                        yield missing - {keyword}, form[1:]

    @property
    def complete(self) -> bool:
        """Whether a closing token may come next."""
        return (frozenset(), ()) in self.fronts

    @property
    def needed(self) -> int:
        """Tokens that are still to come at least, the closing one included.

        Raises:
            ValueError: the beginning is of no state.
        """
        return 1 + min(len(rest) + least_tokens(self.blocks, missing) for missing, rest in self.fronts)


def labellings(tokens: Sequence[int], blocks: KeywordBlocks, free: Callable[[int], bool]) -> list[State]:
    """Every state of the given tokens, the last of which closes it, that has each keyword once.

    Args:
        tokens: token ids, n >= 1 of them.
        blocks: the keywords.
        free: whether a token may stand outside blocks.
    """

    def owners(at: int, missing: frozenset[int]) -> Iterator[tuple[int, ...]]:
        if at == len(tokens) - 1:
            if not missing:
                yield (END,)
            return
        if free(tokens[at]) and free_next(blocks, missing):
            yield from ((FREE, *rest) for rest in owners(at + 1, missing))
        for keyword in eligible(blocks, missing):
            for form in blocks.forms[keyword]:
                stop = at + len(form)
                if stop < len(tokens) and tuple(tokens[at:stop]) == tuple(form):
                    yield from ((*[keyword] * len(form), *rest) for rest in owners(stop, missing - {keyword}))

    return [State(tuple(tokens), each) for each in owners(0, frozenset(range(len(blocks.forms))))]
