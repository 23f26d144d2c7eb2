"""Contract of a language that sentences are written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from models.language.vocabulary import WIDE, Mask
from models.odds import Odds
from samplers.constraints.base import Constraint
from samplers.constraints.length import characters, tokens
from samplers.constraints.punctuation import TidyPunctuation
from samplers.constraints.words import Boundaries, spaced_boundaries
from samplers.spans import Decode, Span
from samplers.state import State

Unit = Literal["characters", "words", "tokens"]

WORD_BOUNDS = (20, 10)
"""Default greatest length in words, as (base, room): max(base, 2k + room) where keywords or ``min`` take k."""
TOKEN_BOUNDS = (24, 12)

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
"""A written word: letters or digits, joined by apostrophes, hyphens or dots inside."""


def count_characters(text: str) -> int:
    """Characters without white space."""
    return sum(not c.isspace() for c in text)


class Language:
    """A language; what it does not override suits one that writes spaces between its words.

    Attributes:
        code: value of ``language`` in requests, of ISO 639-1.
        name: in English.
        opening: default context, a few plain sentences on different matters. Text at the very start of a document
            is, to a language model, often a headline or the head of a list: 一、基本信息。 After whole sentences
            another whole sentence is likely. Where tokens carry their leading space, it ends without one.
        masks: vocabulary masks, narrowest first; no name may be another language's.
        pool: contexts of different matters and registers, each ending as the opening does; the opening if empty.
        examples: worked ones: words, and the sentence made of them.
        example_form: what goes before the words, between them, and before the sentence.
        instruction: to a model that follows them; ``{name}`` and ``{words}`` are filled in.
        copied_run: units in a row (:meth:`units`) that make a copy of a context.
        unit: of lengths, where a request names none.
        character_bounds: default greatest length in characters, as :data:`WORD_BOUNDS`.
        full_stop: closing mark of first states; the masks say which others close.
        comma: mark between clauses.
        closing_quotes: quotes that close here though they open elsewhere (“ in German).
        words_apart: whether words are written apart, so that neighbours leave a word and the count of words as they
            are. A segmenter may join or split words beside others.
        evidence: letters by which ``auto`` knows the language, in words for the reader; see :meth:`claims`.
        naturalness: log-odds that a reader finds a sentence natural, by :mod:`app.tasks.sampling.naturalness`, fitted
            to the default model's log-probs; None where nobody has marked any.
        function_words: articles, prepositions, particles and the like, which hold any sentence together.
    """

    code: str
    name: str
    opening: str
    masks: Sequence[Mask]
    pool: Sequence[str] = ()
    examples: Sequence[tuple[Sequence[str], str]] = ()
    example_form: tuple[str, str, str] = ("Words: ", ", ", "Sentence:")
    instruction: str = "Write one natural sentence in {name} with all of these words: {words}. Answer with it alone."
    copied_run: int = 3
    unit: Unit = "words"
    character_bounds: tuple[int, int] = (120, 60)
    full_stop: str = "."
    comma: str = ","
    closing_quotes: str = ""
    words_apart: bool = True
    evidence: str = ""
    naturalness: Odds | None = None
    function_words: frozenset[str] = frozenset()

    def claims(self, text: str) -> bool:
        """Whether ``auto`` takes a text for this language, as when it has letters of no other; see :attr:`evidence`."""
        return False

    def vocabularies(self, texts: Sequence[str]) -> list[str]:
        """Names of the masks to try for texts, narrowest first."""
        return [*(mask.name for mask in self.masks), self.masks[-1].name + WIDE]

    def edges(self, text: str) -> frozenset[int]:
        """Offsets at which a word may begin or end."""
        return spaced_boundaries(text)

    def word_spans(self, text: str) -> list[Span]:
        """The characters of each word of a text, punctuation left out."""
        return [match.span() for match in _WORD.finditer(text)]

    def count_words(self, text: str) -> int:
        """Words of a text, punctuation not counted."""
        return len(self.word_spans(text))

    def units(self, text: str) -> list[Span]:
        """Where the units stand by which copies are told: words, without punctuation."""
        return [match.span() for match in _WORD.finditer(text)]

    def worked_examples(self, words: Sequence[str]) -> str:
        """The worked examples, then the given words, after which the sentence made of them is due."""
        before, between, after = self.example_form
        gap = " " if self.words_apart else ""
        lines = [f"{before}{between.join(given)}\n{after}{gap}{sentence}\n\n" for given, sentence in self.examples]
        return "".join([*lines, f"{before}{between.join(words)}\n{after}"])

    def least_words(self, text: str) -> int:
        """Words that a text is sure to add to a sentence, whatever stands beside it."""
        return self.count_words(text) if self.words_apart else 1

    def measure(self, unit: Unit) -> Callable[[State, str], int]:
        """Length of a state in a unit."""
        if unit == "words":
            return lambda state, text: self.count_words(text)
        return characters if unit == "characters" else tokens

    def default_bounds(self, unit: Unit) -> tuple[int, int]:
        """Default greatest length in a unit, as :data:`WORD_BOUNDS`."""
        return {"characters": self.character_bounds, "words": WORD_BOUNDS, "tokens": TOKEN_BOUNDS}[unit]

    @property
    def forbidden_edges(self) -> Boundaries | None:
        """Word edges by which a forbidden word occurs as a whole word alone; None if as any substring."""
        return self.edges if self.words_apart else None

    def constraints(self, forms: Sequence[Sequence[str]], decode: Decode) -> list[Constraint]:
        """Constraints that all its sentences hold.

        Args:
            forms: for each keyword its accepted spellings.
            decode: token ids to text.
        """
        return [TidyPunctuation(decode, self.closing_quotes)]

    def flaw(self, keyword: str) -> tuple[str, str] | None:
        """Why no sentence can have a keyword, and the remedy; None if one can."""
        return None

    def context(self, given: str | None, fits: Callable[[str], bool] = lambda text: True) -> str:
        """Context of a request: the one given, even if empty, else the opening if it ``fits``."""
        if given is not None:
            return given
        return self.opening if fits(self.opening) else ""
