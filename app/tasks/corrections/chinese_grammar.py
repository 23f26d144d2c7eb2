"""Words of a Chinese text that are missing, redundant or in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence

import rjieba

from app.languages.registry import LANGUAGES
from app.tasks.corrections.drawn import Drawing
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.listed import exactly
from models.confusions.characters import CHARACTERS, SIMPLIFIED, TRADITIONAL
from models.language.vocabulary import Vocabulary

DISTORTIONS: dict[Kind, float] = {"missing": -8.5, "redundant": -9.0, "reordered": -5.5}
"""Log-weights of the kinds, in nats."""
HINTS: dict[Kind, float] = {"missing": 5.0, "redundant": 5.0, "reordered": 5.0}
"""What pruning credits each with: what it gains shows only further on."""
LONGEST_REDUNDANT = 2
"""Characters that are left out at most, but for what is written twice."""
LONGEST_REPEATED = 4
LONGEST_RUN = 2
"""Words in a row that change their place with others at most."""


class Grammar:
    """Draws arcs that put words in, leave words out or exchange them.

    Args:
        vocabulary: of the texts.
        kinds: that are looked for.
        longer_token: reward for each character of a token beyond one.
    """

    def __init__(self, vocabulary: Vocabulary, kinds: frozenset[Kind], longer_token: float) -> None:
        self._vocabulary, self._kinds, self._longer = vocabulary, kinds, longer_token
        spelled = {word: vocabulary.spell(word) for word in sorted(LANGUAGES["zh"].function_words)}
        self._insertable = [(word, *tokens) for word, tokens in spelled.items() if len(tokens) == 1]

    def draw(self, drawing: Drawing, text: str, kept: Sequence[tuple[int, int]], traditional: bool) -> None:
        """Put the arcs of a text into its drawing; what stands in ``kept`` stays together."""
        fixed = {place for start, stop in kept for place in range(start, stop)}
        fixed |= {place for place, character in enumerate(text) if character not in CHARACTERS}
        inside = {place for start, stop in kept for place in range(start + 1, stop)}
        edges = [0]
        for word in rjieba.cut(text):
            edges.append(edges[-1] + len(word))
        if "missing" in self._kinds:
            self._missing(drawing, [at for at in range(len(text)) if at not in inside], traditional)
        if "redundant" in self._kinds:
            self._redundant(drawing, text, fixed, set(edges))
        if "reordered" in self._kinds:
            self._reordered(drawing, text, fixed, edges)

    def _missing(self, drawing: Drawing, places: Sequence[int], traditional: bool) -> None:
        script = TRADITIONAL if traditional else SIMPLIFIED
        words = [(word, token) for word, token in self._insertable if script.issuperset(word)]
        for at in places:
            for word, token in words:
                reward = self._longer * (len(word) - 1)
                drawing.inserted(at, token, word, "missing", DISTORTIONS["missing"], reward, HINTS["missing"])

    def _redundant(self, drawing: Drawing, text: str, fixed: set[int], edges: set[int]) -> None:
        exact = exactly(text)
        for start in range(len(text)):
            for stop in range(start + 1, min(start + LONGEST_REPEATED, len(text) - 1) + 1):
                if stop - 1 in fixed:
                    break
                repeated = text.startswith(text[start:stop], stop)
                whole = stop - start <= LONGEST_REDUNDANT and {start, stop} <= edges
                if not (repeated or whole or stop == start + 1):
                    continue
                for token, after, _ in self._vocabulary.trie.spelled(exact, stop):
                    reward = self._longer * (len(after) - 1)
                    drawing.deleted(
                        start, stop, token, after, "redundant", DISTORTIONS["redundant"], reward, HINTS["redundant"]
                    )

    def _reordered(self, drawing: Drawing, text: str, fixed: set[int], edges: Sequence[int]) -> None:
        last = len(edges) - 1
        for first in range(last):
            for middle in range(first + 1, min(first + LONGEST_RUN, last) + 1):
                for end in range(middle + 1, min(middle + LONGEST_RUN, last) + 1):
                    start, between, stop = edges[first], edges[middle], edges[end]
                    old, new = text[start:stop], text[between:stop] + text[start:between]
                    if old != new and fixed.isdisjoint(range(start, stop)):
                        pieces = map(self._vocabulary.piece, self._vocabulary.spell(new))
                        reward = sum(self._longer * (len(piece) - 1) for piece in pieces)
                        drawing.chain(
                            start, stop, new, "reordered", DISTORTIONS["reordered"], reward, HINTS["reordered"]
                        )
