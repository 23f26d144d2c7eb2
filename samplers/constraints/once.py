"""Keywords that are said once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.constraints.words import Boundaries, occurrences
from samplers.spans import Decode, inside, keyword_spans
from samplers.state import State


@dataclass(frozen=True, slots=True)
class SaidOnce(Constraint):
    """Outside the keywords' blocks no form of a keyword stands as a whole word, letter case ignored.

    Attributes:
        forms: for each keyword its accepted spellings.
        boundaries: word edges of a text.
        decode: token ids to text.
        anywhere: whether forms of two characters or more must not stand inside other words either: where a segmenter
            finds the words, their neighbours decide whether it does.
    """

    forms: Sequence[Sequence[str]]
    boundaries: Boundaries
    decode: Decode
    anywhere: bool = False

    def violation(self, state: State, text: str) -> float:
        """Places at which a keyword is said again."""
        # Lower-casing may change a text's length (İ); such a text is compared as it stands.
        folded = text.lower() if len(text.lower()) == len(text) else text
        forms = {form.lower() for forms in self.forms for form in forms}
        if sum(map(folded.count, forms)) <= len(state.keywords):
            return 0
        blocks = keyword_spans(state, self.decode)
        said = {span for form in forms for span in self._places(form, folded)}
        return len({start for start, stop in said if not inside(blocks, start, stop)})

    def _places(self, form: str, text: str) -> Iterator[tuple[int, int]]:
        everywhere = self.anywhere and len(form) > 1
        return occurrences(form, text, frozenset(range(len(text) + 1)) if everywhere else self.boundaries(text))
