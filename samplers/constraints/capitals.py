"""Capitalised forms at the opening only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from samplers.constraints.base import Constraint
from samplers.spans import Decode
from samplers.state import State


@dataclass(frozen=True, slots=True)
class CapitalForms(Constraint):
    """Capitalised spellings of a keyword stand at the opening, if it has the same one in lower case too.

    Of ``["dogs", "Dogs"]`` the second is for the opening; a name, given with a capital alone, stands
    anywhere.

    Attributes:
        forms: for each keyword its accepted spellings.
        decode: token ids to text.
    """

    forms: Sequence[Sequence[str]]
    decode: Decode
    _capital: Sequence[frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        capital = [
            frozenset(form for form in forms if form[0].isupper() and form[0].lower() + form[1:] in forms)
            for forms in self.forms
        ]
        object.__setattr__(self, "_capital", capital)

    @property
    def applies(self) -> bool:
        """Whether a keyword has such a form."""
        return any(self._capital)

    def violation(self, state: State, text: str) -> float:
        """How many such forms stand after the opening."""
        misplaced = 0
        for keyword, capital in enumerate(self._capital):
            if capital and self.decode(state.tokens[block := state.block(keyword)]) in capital:
                misplaced += any(c.isalnum() for c in self.decode(state.tokens[: block.start]))
        return misplaced
