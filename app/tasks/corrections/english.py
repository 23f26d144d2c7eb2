"""Lattices of what an English text may have been meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.languages.registry import LANGUAGES
from app.tasks.corrections import listed
from app.tasks.corrections.drawn import Drawing, Drawn, single_tokens
from app.tasks.corrections.edits import Edit
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.language import CorrectedLanguage, Wanted
from app.tasks.corrections.listed import Listed
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
NAME_DISTANCE, SHORTEST_NAME = 1, 4
"""Letters by which a name may be misspelt, and those that it has at least."""
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
        self._names = [name for name in wanted.names if _WORD.fullmatch(name)] if "listed" in wanted.kinds else []
        self._insertable = single_tokens(vocabulary, [f" {word}" for word in (*ARTICLES, *PREPOSITIONS)])

    def draw(self, text: str) -> Drawn:
        """See :meth:`Lattices.draw`."""
        drawing = Drawing(text, self._vocabulary)
        given = drawing.given_tokens()
        kept = {place for start, stop in self._listed.kept(text) for place in range(start, stop)}

        def replace(start: int, stop: int, new: str, kind: Kind, distortion: float, hint: float) -> None:
            """A piece between tokens, with the space that its first one carries."""
            first = start - 1 if text[start - 1 : start] == " " and start - 1 in given else start
            if first in given and (stop in given or stop == len(text)) and kept.isdisjoint(range(start, stop)):
                edit = Edit(start, stop, new, kind)
                drawing.chain(first, stop, text[first:start] + new, kind, distortion, 0.0, hint, edit)

        before = ""
        for match in _WORD.finditer(text):
            word, (start, stop) = match[0], match.span()
            for new, (kind, distortion, hint) in self._meant(word, opens(text, start)).items():
                replace(start, stop, new, kind, distortion, hint)
            space = start - 1
            if text[space:start] == " " and space in given:
                if (after := given.get(stop)) is not None and kept.isdisjoint(range(start, stop)):
                    self._delete(drawing, space, stop, word, after)
                if not {space, start} <= kept:
                    self._insert(drawing, space, {before, word.lower()})
            before = word.lower()
        for start, old, new in self._listed.pairs(text):
            replace(start, start + len(old), new, "listed", listed.LISTED, listed.LISTED_HINT)
        return drawing.done()

    def _meant(self, word: str, first: bool) -> Mapping[str, tuple[Kind, float, float]]:
        """What may be meant by a word, with its likeliest kind, log-weight and hint."""
        found: dict[str, tuple[Kind, float, float]] = {}
        for kind, new, distortion, hint in self._candidates(word, first):
            if kind in self._kinds and new != word:
                found.setdefault(new, (kind, distortion, hint))
        return found

    def _candidates(self, word: str, first: bool) -> Iterator[tuple[Kind, str, float, float]]:
        small = word.lower().replace("’", "'")
        if len(word) >= SHORTEST_NAME:
            for name, _, _ in process.extract(
                word, self._names, scorer=OSA.distance, score_cutoff=NAME_DISTANCE, limit=None
            ):
                yield "listed", name, listed.LISTED, listed.LISTED_HINT
        if word == "i":
            yield "spelling", "I", MISSPELT, MISSPELT_HINT
        if word != word.lower() and not (first and word[1:] == word[1:].lower()):
            return  # a name, or shouted

        def cased(new: str) -> str:
            return new[0].upper() + new[1:] if word[0].isupper() else new

        def of(kind: Kind, new: str) -> tuple[Kind, str, float, float]:
            return kind, cased(new), DISTORTIONS[kind], HINTS[kind]

        listed_word = known(small) or ("'" in small and known(small.partition("'")[0]))
        if not listed_word:
            distortion = MISSPELT if word.islower() else DISTORTIONS["spelling"]  # it may be a name
            for new in (*spelled_alike(small, 1 if len(small) < 4 else 2, MOST_ALIKE), *split(small)):
                yield "spelling", cased(new), distortion, MISSPELT_HINT
        for kind, words in (("article", ARTICLES), ("preposition", PREPOSITIONS)):
            if small in words:
                yield from (of(kind, new) for new in words if new != small)  # type: ignore[arg-type]
        yield from (of("inflection", new) for new in sorted(inflections(small)))
        yield from (of("spelling", new) for words in CONFUSED if small in words for new in words)
        if len(small) > 2 and listed_word:
            yield from (of("spelling", new) for new in common_alike(small, MOST_ALIKE))
        if len(small) > 2 and word.islower():
            yield of("spelling", small.capitalize())

    def _insert(self, drawing: Drawing, at: int, beside: set[str]) -> None:
        """Articles and prepositions that may be missing between two words."""
        for new, token in self._insertable.items():
            alike = ARTICLES if new[1:] in ARTICLES else PREPOSITIONS
            kind: Kind = "article" if alike is ARTICLES else "preposition"
            if kind in self._kinds and beside.isdisjoint(alike):
                drawing.inserted(at, token, new, kind, DISTORTIONS[kind], 0.0, HINTS[kind])

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
    # Fitted to every other of a few development texts (benchmarks/corrections_en.json), that of listed ones guessed.
    calibration=calibrated(
        Calibration(-1.853, 0.149, 0.606, 0.599),
        {"spelling": 0.0, "inflection": 0.240, "article": -0.248, "preposition": -1.618, "listed": 1.0},
    ),
    lattices=EnglishLattices,
    piece=320,
)
