"""Text that ends the sentence."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.spans import Decode
from samplers.state import State


@dataclass(frozen=True, slots=True)
class EndsWith(Constraint):
    """The sentence ends with a text before its closing mark, and with a certain mark if one is given.

    Attributes:
        ending: the text, without a closing mark; may be empty.
        decode: token ids to text.
        mark: the closing mark; any if empty.
    """

    ending: str
    decode: Decode
    mark: str = ""

    def violation(self, state: State, text: str) -> float:
        """Characters after the text, or all and what it lacks where it does not occur; and 1 for another mark."""
        other = int(bool(self.mark) and not text.endswith(self.mark))
        body = self.decode(state.tokens[: state.end])
        at = body.rfind(self.ending)
        if at >= 0:
            return other + len(body) - at - len(self.ending)
        pairs = zip(reversed(self.ending), reversed(body), strict=False)
        agreed = next((i for i, (a, b) in enumerate(pairs) if a != b), len(body))
        return other + len(body) + len(self.ending) - agreed
