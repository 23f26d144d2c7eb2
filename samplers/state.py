"""State of a chain: a closed sentence with frozen keyword blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

FREE = -1
"""Owner of a token that edits may touch."""
END = -2
"""Owner of the closing token (。！？ or . ! ?): always last, replaced only by its like."""


@dataclass(frozen=True, slots=True)
class State:
    """A sentence of n tokens, the last of which closes it.

    Attributes:
        tokens: token ids, length n >= 1.
        owners: length n. ``owners[i]`` is :data:`FREE`, :data:`END` (only at n - 1), or
            the number k >= 0 of the keyword whose block covers position i. The block of
            each keyword is one contiguous run, so a multi-token keyword stays glued.

    Two states are equal when both tuples are: a word written once as a keyword and once
    freely is a different state from the same text with the labels exchanged. The law of
    a chain is over these labelled states.
    """

    tokens: tuple[int, ...]
    owners: tuple[int, ...]

    @classmethod
    def assemble(cls, blocks: Sequence[tuple[int, Sequence[int]]], end: int) -> Self:
        """Join ``(owner, tokens)`` blocks in order and close them with ``end``."""
        tokens: list[int] = []
        owners: list[int] = []
        for owner, block in blocks:
            tokens.extend(block)
            owners.extend([owner] * len(block))
        return cls((*tokens, end), (*owners, END))

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def end(self) -> int:
        """Position of the closing token."""
        return len(self.tokens) - 1

    @property
    def free(self) -> list[int]:
        """Positions of the free tokens, ascending: those that may be deleted."""
        return [i for i, owner in enumerate(self.owners) if owner == FREE]

    @property
    def gaps(self) -> list[int]:
        """Positions g before which a token may be inserted: 0 <= g <= end, never inside a block."""
        owners = self.owners
        return [g for g in range(len(owners)) if g == 0 or owners[g] == FREE or owners[g - 1] != owners[g]]

    @property
    def keywords(self) -> list[int]:
        """Keyword numbers in the order in which they stand."""
        order: list[int] = []
        for owner in self.owners:
            if owner >= 0 and (not order or order[-1] != owner):
                order.append(owner)
        return order

    def block(self, keyword: int) -> slice:
        """The positions of a keyword's block.

        Raises:
            ValueError: the state has no such keyword.
        """
        start = self.owners.index(keyword)
        stop = start
        while stop < len(self.owners) and self.owners[stop] == keyword:
            stop += 1
        return slice(start, stop)

    def begins(self, tokens: Sequence[int], owners: Sequence[int]) -> bool:
        """Whether it begins with these tokens of these owners, and no keyword's block is cut by that."""
        count = len(tokens)
        cut = count > 0 and owners[-1] >= 0 and self.owners[count : count + 1] == (owners[-1],)
        return not cut and self.tokens[:count] == tuple(tokens) and self.owners[:count] == tuple(owners)

    def replaced(self, position: int, token: int) -> Self:
        """The state with another token at one position, of the same owner."""
        return self.spliced(slice(position, position + 1), (token,), self.owners[position])

    def inserted(self, gap: int, token: int) -> Self:
        """The state with a free token put before position ``gap``."""
        return self.spliced(slice(gap, gap), (token,), FREE)

    def deleted(self, position: int) -> Self:
        """The state without the token at ``position``."""
        return self.spliced(slice(position, position + 1), (), FREE)

    def spliced(self, span: slice, tokens: Sequence[int], owner: int) -> Self:
        """The state with the tokens at ``span`` exchanged for others of one owner."""
        return type(self)(
            (*self.tokens[: span.start], *tokens, *self.tokens[span.stop :]),
            (*self.owners[: span.start], *([owner] * len(tokens)), *self.owners[span.stop :]),
        )
