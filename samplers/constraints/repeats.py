"""Limits on repetition."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.spans import Decode
from samplers.state import State

MOST = 2
"""How often a long unit may stand in a sentence."""


def is_long(unit: str) -> bool:
    """Whether a unit has two Han characters, or four letters, at least."""
    return len(unit) >= (4 if unit.isascii() else 2)


@dataclass(frozen=True, slots=True)
class NoStutter(Constraint):
    """No run of units is said twice in a row, no three in a row stand twice, and no long one more than ``most`` times.

    A unit is a free token or a whole keyword block, compared without case and outer spaces.
    Small language models find repetition likely (Holtzman et al., The Curious Case of Neural
    Text Degeneration, ICLR 2020), and a search for likely sentences would find it too.

    Attributes:
        decode: token ids to text.
        most: how often a unit of two Han characters or four letters, or longer, may stand in a
            sentence; shorter ones (的, the) and marks are not counted.
        longest: length in units of the longest run that is looked for twice in a row.
        phrase: units in a row that may stand only once.
    """

    judges_labels: ClassVar[bool] = True

    decode: Decode
    most: int = MOST
    longest: int = 4
    phrase: int = 3
    _texts: dict[tuple[int, ...], str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def violation(self, state: State, text: str) -> float:
        """Runs said twice in a row, and long units beyond ``most``."""
        units = self._units(state)
        repeated = sum(
            units[i : i + n] == units[i + n : i + 2 * n]
            for n in range(1, self.longest + 1)
            for i in range(len(units) - 2 * n + 1)
        )
        phrases = [tuple(units[i : i + self.phrase]) for i in range(len(units) - self.phrase + 1)]
        repeated += len(phrases) - len(set(phrases))
        counts = Counter(filter(is_long, units))
        return repeated + sum(max(0, count - self.most) for count in counts.values())

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether there are repeats: what follows takes none away."""
        return self.violation(beginning, text) > 0

    def _units(self, state: State) -> list[str]:
        units: list[str] = []
        start = 0
        for stop in range(1, len(state) + 1):
            glued = stop < len(state) and state.owners[stop] >= 0 and state.owners[stop] == state.owners[start]
            if not glued:
                unit = state.tokens[start:stop]
                if (text := self._texts.get(unit)) is None:
                    text = self._texts[unit] = self.decode(unit).lower()
                units.append(text)
                start = stop
        return units
