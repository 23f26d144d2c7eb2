"""What a request lists: pairs, and words that stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from app.tasks.corrections.drawn import Drawing
from app.tasks.corrections.language import Wanted
from models.language.piece_trie import PieceTrie

LISTED = -1.0
"""Log-weight of a pair or a name that the caller lists."""
LISTED_HINT = 8.0
"""What pruning credits such a one with, in nats."""


class Listed:
    """Finds the listed words of a request in texts.

    Args:
        wanted: of the request.
    """

    def __init__(self, wanted: Wanted) -> None:
        meant: dict[str, list[str]] = {}
        for old, new in wanted.pairs if "listed" in wanted.kinds else ():
            meant.setdefault(old, []).append(new)
        self._meant = list(meant.values())
        self._written = _trie(meant)
        self._kept = _trie([*wanted.protected, *wanted.names])

    def kept(self, text: str) -> list[tuple[int, int]]:
        """Where the words stand that stay as they are: from where to where."""
        exact = exactly(text)
        return [(at, at + len(word)) for at in range(len(text)) for _, word, _ in self._kept.spelled(exact, at)]

    def pairs(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Where something stands that is often written for something else: it, and that."""
        exact = exactly(text)
        for at in range(len(text)):
            for number, old, _ in self._written.spelled(exact, at):
                yield from ((at, old, new) for new in self._meant[number])


def draw_listed(drawing: Drawing, at: int, old: str, new: str, reward: float) -> None:
    """Put into a drawing what is meant by what stands at a place."""
    drawing.chain(at, at + len(old), new, "listed", LISTED, reward, LISTED_HINT)


def exactly(text: str) -> list[dict[str, float]]:
    """Choices that leave each character as it is."""
    return [{character: 0.0} for character in text]


def _trie(words: dict[str, list[str]] | list[str]) -> PieceTrie:
    return PieceTrie({word: number for number, word in enumerate(words)})
