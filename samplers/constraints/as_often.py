"""Words of a kind that occur as often as in a given text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from samplers.constraints.base import Constraint
from samplers.state import State


@dataclass(frozen=True, slots=True)
class AsOften(Constraint):
    """The sentence says what it says of one kind (its numbers, its negations) as often as a given text does.

    Attributes:
        text: the given one.
        said: of a text what it says of that kind, each as often as it does.
    """

    text: str
    said: Callable[[str], Iterable[str]]
    _wanted: Counter[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_wanted", Counter(self.said(self.text)))

    def violation(self, state: State, text: str) -> float:
        """How many are missing or too many."""
        found = Counter(self.said(text))
        return ((found - self._wanted) | (self._wanted - found)).total()
