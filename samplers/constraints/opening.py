"""How a sentence opens."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.state import State


@dataclass(frozen=True, slots=True)
class CapitalOpening:
    """The first letter or digit is no lower-case letter, for scripts that begin a sentence with a capital."""

    def violation(self, state: State, text: str) -> float:
        """1 if the sentence opens in lower case."""
        return int(next((c for c in text if c.isalnum()), "A").islower())
