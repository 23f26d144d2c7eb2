"""Lattices of what an English text may have been meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from app.languages.registry import LANGUAGES
from app.tasks.corrections.drawn import Drawing, Drawn
from app.tasks.corrections.edits import Edit
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.language import CorrectedLanguage, Wanted
from app.tasks.corrections.listed import LISTED, LISTED_HINT, Listed
from app.tasks.corrections.posterior import Calibration, calibrated
from models.confusions.english_words import common_alike, known, spelled_alike, split
from models.confusions.inflections import inflections
from models.language.vocabulary import Vocabulary

MISSPELT = -2.0
"""Log-weight of what is meant by a word that is in no list, in nats."""
DISTORTIONS: Mapping[Kind, float] = {"spelling": -5.5, "inflection": -3.0, "article": -3.0, "preposition": -3.5}
"""Of what is meant by one that is, by kind."""
HINTS: Mapping[Kind, float] = {"spelling": 2.0, "inflection": 2.0, "article": 2.0, "preposition": 2.0}
"""What pruning credits each with."""
MISSPELT_HINT = 8.0
MOST_ALIKE = 8
"""Words spelled alike that are looked at."""

ARTICLES = ("a", "an", "the")
PREPOSITIONS = ("about", "at", "by", "for", "from", "in", "into", "of", "on", "to", "with")
CONFUSED = (("their", "there", "they're"), ("its", "it's"), ("your", "you're"), ("whose", "who's"), ("then", "than"))
"""Words that sound alike and are written for one another."""

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")


class EnglishLattices:
    """Draws lattices of English texts.

    Args:
        vocabulary: of the texts.
        wanted: what the request asks for.
    """

    def __init__(self, vocabulary: Vocabulary, wanted: Wanted) -> None:
        self._vocabulary, self._kinds, self._listed = vocabulary, wanted.kinds, Listed(wanted)
        words = [(word, vocabulary.spell(f" {word}")) for word in (*ARTICLES, *PREPOSITIONS)]
        self._insertable = [(word, *tokens) for word, tokens in words if len(tokens) == 1]

    def draw(self, text: str) -> Drawn:
        """See :meth:`Lattices.draw`."""
        drawing = Drawing(text, self._vocabulary)
        given = drawing.given_tokens()
        kept = {place for start, stop in self._listed.kept(text) for place in range(start, stop)}
        for match in _WORD.finditer(text):
            word, stop = match[0], match.end()
            start = match.start() - (text[match.start() - 1 : match.start()] == " ")
            if start not in given or (stop < len(text) and stop not in given):
                continue
            space = text[start : match.start()]
            if kept.isdisjoint(range(match.start(), stop)):
                for kind, new, distortion, hint in self._meant(word, first=opens(text, match.start())):
                    drawing.chain(start, stop, space + new, kind, distortion, 0.0, hint, Edit(*match.span(), new, kind))
                if space and (after := given.get(stop)) is not None:
                    self._delete(drawing, start, stop, word, after)
            if space and not {start, match.start()} <= kept:
                self._insert(drawing, start, word)
        for at, old, new in self._listed.pairs(text):
            if at in given and at + len(old) in {*given, len(text)} and kept.isdisjoint(range(at, at + len(old))):
                drawing.chain(at, at + len(old), new, "listed", LISTED, 0.0, LISTED_HINT)
        return drawing.done()

    def _meant(self, word: str, first: bool) -> Iterator[tuple[Kind, str, float, float]]:
        """What may be meant by a word, the likeliest kind of each: kind, word, log-weight, hint."""
        found: dict[str, tuple[Kind, float, float]] = {}
        for kind, new, distortion, hint in self._candidates(word, first):
            if kind in self._kinds and new != word:
                found.setdefault(new, (kind, distortion, hint))
        yield from ((kind, new, distortion, hint) for new, (kind, distortion, hint) in found.items())

    def _candidates(self, word: str, first: bool) -> Iterator[tuple[Kind, str, float, float]]:
        small = word.lower()
        if word == "i":
            yield "spelling", "I", MISSPELT, MISSPELT_HINT
        if word != small and not (first and word[1:] == small[1:]):
            return  # a name, or shouted

        def cased(new: str) -> str:
            return new[0].upper() + new[1:] if word[0].isupper() else new

        def of(kind: Kind, new: str) -> tuple[Kind, str, float, float]:
            return kind, cased(new), DISTORTIONS[kind], HINTS[kind]

        if not known(small):
            for new in (*spelled_alike(small, 1 if len(small) < 4 else 2, MOST_ALIKE), *split(small)):
                yield "spelling", cased(new), MISSPELT, MISSPELT_HINT
        for kind, words in (("article", ARTICLES), ("preposition", PREPOSITIONS)):
            if small in words:
                yield from (of(kind, new) for new in words if new != small)  # type: ignore[arg-type]
        yield from (of("inflection", new) for new in sorted(inflections(small)))
        yield from (of("spelling", new) for words in CONFUSED if small in words for new in words)
        if len(small) > 2 and known(small):
            yield from (of("spelling", new) for new in common_alike(small, MOST_ALIKE))
        if len(small) > 2 and word == small:
            yield of("spelling", small.capitalize())

    def _insert(self, drawing: Drawing, at: int, before: str) -> None:
        """Articles and prepositions that may be missing before a word."""
        for new, token in self._insertable:
            kind: Kind = "article" if new in ARTICLES else "preposition"
            if kind in self._kinds and new != before.lower():
                drawing.inserted(at, token, f" {new}", kind, DISTORTIONS[kind], 0.0, HINTS[kind])

    def _delete(self, drawing: Drawing, start: int, stop: int, word: str, after: tuple[int, str]) -> None:
        """An article or a preposition that may be redundant, with the token that follows it."""
        kind: Kind = "article" if word in ARTICLES else "preposition"
        if kind in self._kinds and word in (*ARTICLES, *PREPOSITIONS):
            drawing.deleted(start, stop, *after, kind, DISTORTIONS[kind], 0.0, HINTS[kind])


def opens(text: str, at: int) -> bool:
    """Whether what stands at a place of a text opens a sentence."""
    before = text[:at].rstrip(" \"'“‘(")
    return not before or before[-1] in ".!?:\n"


ENGLISH = CorrectedLanguage(
    language=LANGUAGES["en"],
    kinds=("spelling", "inflection", "article", "preposition", "listed"),
    optional=(),
    contexts=(
        "I have lived in this town for three years, and I like it very much.\n"
        "Nowadays many people think that children should spend less time at home.\n"
        "If you want to learn a language, you have to practise it every day.\n",
    ),
    calibration=calibrated(
        Calibration(4.0, 0.4, 0.0, 0.0),
        dict.fromkeys(("spelling", "inflection", "article", "preposition", "listed"), 0.0),
    ),
    lattices=EnglishLattices,
    piece=320,
)
