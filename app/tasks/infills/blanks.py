"""A text with blanks: what stands around them, and the text when they are filled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.languages.base import Language
from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import normalised
from models.language.vocabulary import Role, Vocabulary
from models.text.normalisation import normalise_name

BLANK = re.compile("[_＿]{3,}")
"""Three underscores or more."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands before, between or after blanks.

    Attributes:
        given: as it was given, to the character.
        text: in normal form, outer white space dropped.
        spaced: whether it begins and ends with white space.
    """

    given: str
    text: str
    spaced: tuple[bool, bool]

    @classmethod
    def of(cls, given: str) -> Segment:
        """Read a piece of a text."""
        text = normalised(given)
        return cls(given, normalise_name(text), (text[:1].isspace(), text[-1:].isspace()))


@dataclass(frozen=True, slots=True)
class BlankedText:
    """A text with n blanks.

    Attributes:
        segments: n + 1 of them; the first and the last may be empty.
        mark: closing mark of the whole text; empty if it has none, or ends with a blank.
    """

    segments: Sequence[Segment]
    mark: str

    @classmethod
    def of(cls, text: str, language: Language) -> BlankedText:
        """Read a text."""
        segments = read_segments(text)
        last = segments[-1].text[-1:]
        # One that closes under whichever mask the text is written.
        mark = last if last and all(mask.rule(last, 0) is Role.END for mask in language.masks) else ""
        return cls(segments, mark)

    @property
    def blanks(self) -> int:
        """How many there are."""
        return len(self.segments) - 1

    @property
    def texts(self) -> list[str]:
        """The segments without the closing mark."""
        *first, last = (segment.text for segment in self.segments)
        return [*first, last.removesuffix(self.mark).rstrip()]

    def spelling(self, number: int, language: Language, vocabulary: Vocabulary) -> tuple[int, ...]:
        """Token ids of a segment where it stands, without the closing mark; none of an empty one.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        text = self.texts[number]
        if not text:
            return ()
        if not number:
            return vocabulary.sentence(text)
        spaced = language.words_apart and self.segments[number].spaced[0]
        return vocabulary.spell(" " * spaced + text)

    def spaced_before(self, blank: int, language: Language) -> bool:
        """Whether a space goes before what is written in a blank.

        Where none does, a token with one will do: after a quote or a bracket few models have others for words.
        """
        return bool(language.words_apart and self.texts[blank] and self.segments[blank].spaced[1])

    def inside_word(self, blank: int, language: Language) -> bool:
        """Whether a letter or digit adjoins a blank where words are written apart."""
        before, after = self.segments[blank : blank + 2]
        edges = (before.text[-1:] if not before.spaced[1] else "", after.text[:1] if not after.spaced[0] else "")
        return language.words_apart and any(map(str.isalnum, edges))

    def filled(self, fills: Sequence[str]) -> str:
        """The text as it was given, with the blanks filled."""
        first, *others = (segment.given for segment in self.segments)
        return first + "".join(fill + given for fill, given in zip(fills, others, strict=True))


def read_segments(text: str) -> list[Segment]:
    """What stands around the blanks of a text.

    Raises:
        UnfitError: there is no blank, nothing stands between two of them, or the text has a control character.
    """
    segments = [Segment.of(given) for given in BLANK.split(text)]
    if len(segments) == 1:
        raise UnfitError(Code.MISSING, "there is no blank in it", "write three underscores, ___, where words are due")
    if not all(segment.text for segment in segments[1:-1]):
        raise UnfitError(Code.MALFORMED, "nothing stands between two blanks", "write one blank for both")
    return segments
