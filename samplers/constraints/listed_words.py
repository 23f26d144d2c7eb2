"""Words of a list only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.spans import Decode, Span, inside, keyword_spans
from samplers.state import State

WordSpans = Callable[[str], Sequence[Span]]
"""The characters of each word of a text, marks left out."""


def unlisted(text: str, words: Collection[str], spans: WordSpans) -> list[Span]:
    """The words of a text that a list lacks; the first may have a capital that it has not in the list."""
    return [
        (start, stop)
        for number, (start, stop) in enumerate(spans(text))
        if (word := text[start:stop]) not in words and (number or word[0].lower() + word[1:] not in words)
    ]


@dataclass(frozen=True, slots=True)
class ListedWords(Constraint):
    """Every word of the text is in a list, or inside a keyword's block.

    Attributes:
        words: the list.
        spans: a text's words.
        decode: token ids to text.
    """

    words: Collection[str]
    spans: WordSpans
    decode: Decode

    def violation(self, state: State, text: str) -> float:
        """Characters of the words that are not listed."""
        found = unlisted(text, self.words, self.spans)
        if not found:
            return 0
        blocks = keyword_spans(state, self.decode)
        return sum(stop - start for start, stop in found if not inside(blocks, start, stop))
