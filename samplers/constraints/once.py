"""Keywords that are said once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.constraints.words import Boundaries, occurrences
from samplers.spans import Decode, inside, keyword_spans, whole_words
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

    judges_labels: ClassVar[bool] = True

    forms: Sequence[Sequence[str]]
    boundaries: Boundaries
    decode: Decode
    anywhere: bool = False

    def violation(self, state: State, text: str) -> float:
        """Places at which a keyword is said again."""
        return self._said_again(state, text, 1)

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether a keyword is said outside blocks in words that are whole."""
        return self._said_again(beginning, whole_words(text), 2 if self.anywhere else 1) > 0

    def _said_again(self, state: State, text: str, least: int) -> int:
        """Places at which a form of so many characters at least stands outside the blocks."""
        # Lower-casing may change a text's length (İ); such a text is compared as it stands.
        folded = text.lower() if len(text.lower()) == len(text) else text
        forms = {form.lower() for forms in self.forms for form in forms if len(form) >= least}
        if sum(map(folded.count, forms)) <= len(state.keywords):
            return 0
        blocks, edges = keyword_spans(state, self.decode), self.boundaries(text)
        everywhere = frozenset(range(len(text) + 1)) if self.anywhere else edges
        said = {span for form in forms for span in occurrences(form, folded, everywhere if len(form) > 1 else edges)}
        return len({start for start, stop in said if not inside(blocks, start, stop)})
