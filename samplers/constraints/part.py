"""Constraints on a part of the sentence: what stands between two blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.spans import Decode
from samplers.state import END, State


@dataclass(frozen=True, slots=True)
class Part:
    """What stands after one block and before another.

    Attributes:
        after: the block's number; None for the sentence's opening.
        before: the other's; None for all up to the closing token.
    """

    after: int | None
    before: int | None

    def span(self, state: State) -> slice | None:
        """Its positions, as far as it is written in a beginning; None where it has not begun.

        Raises:
            ValueError: a whole sentence has no such block.
        """
        owners = state.owners
        if self.after is None:
            start = 0
        elif self.after in owners:
            start = state.block(self.after).stop
        else:
            return None
        if self.before is not None and self.before in owners:
            return slice(start, owners.index(self.before))
        return slice(start, len(owners) - (owners[-1:] == (END,)))

    def ended(self, state: State) -> bool:
        """Whether what follows is written too."""
        return state.owners[-1:] == (END,) or (self.before is not None and self.before in state.owners)


@dataclass(frozen=True, slots=True)
class InPart(Constraint):
    """Another constraint, on a part alone: it sees the part's tokens, their labels and their text.

    Attributes:
        part: which.
        constraint: on it.
        decode: token ids to text.
    """

    judges_labels: ClassVar[bool] = True

    part: Part
    constraint: Constraint
    decode: Decode

    def violation(self, state: State, text: str) -> float:
        """That of the constraint."""
        return self.constraint.violation(*self._seen(state, self.part.span(state) or slice(0, 0)))

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether the part is whole and not allowed, or none that begins so is."""
        span = self.part.span(beginning)
        if span is None:
            return False
        seen = self._seen(beginning, span)
        return self.constraint.violation(*seen) > 0 if self.part.ended(beginning) else self.constraint.hopeless(*seen)

    def _seen(self, state: State, span: slice) -> tuple[State, str]:
        tokens = state.tokens[span]
        return State(tokens, state.owners[span]), self.decode(tokens)
