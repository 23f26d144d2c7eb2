"""Clauses of an acrostic: which of them other texts open already, and words to open the rest with."""

from __future__ import annotations

from dataclasses import dataclass

from app.languages.base import Language
from app.languages.choice import Named
from app.web.codes import Code
from app.web.problems import Fault
from models.language.vocabulary import Vocabulary
from samplers.constraints.acrostic import PARTING, initials

Tokens = tuple[int, ...]

MOST_WORDS = 48
"""Words that a first state may open a clause with, the commonest ones."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """Clauses whose openings are laid into first states.

    Attributes:
        asked: the characters of the acrostic.
        left: those whose clauses neither opening nor ending has.
        opens: whether the first of these opens the sentence.
        abuts: whether it needs no mark before it: it opens the sentence, or follows a mark.
        fault: why the acrostic cannot be.
    """

    asked: str
    left: str
    opens: bool
    abuts: bool
    fault: Fault | None = None

    def texts(self, language: Language) -> list[str]:
        """The least that each of the openings takes."""
        return [c if self.abuts and not number else language.comma + c for number, c in enumerate(self.left)]

    def forms(self, vocabulary: Vocabulary, language: Language, words: frozenset[str] | None) -> list[list[Tokens]]:
        """For each of the clauses token sequences that open it, its comma included.

        Args:
            vocabulary: of the sentences.
            language: of the sentences.
            words: the only words that may stand; None for any.

        Raises:
            SpellingError: a character cannot be spelled.
        """
        interior = [int(token) for token in vocabulary.ids[: vocabulary.interior]]
        comma = vocabulary.spell(language.comma)
        found: list[list[Tokens]] = []
        for number, character in enumerate(self.left):
            capital = not number and self.opens
            chosen = (t for t in interior if _may_open(vocabulary.piece(t).strip(), character, capital, words))
            forms: list[Tokens] = [(token,) for token in sorted(chosen)[:MOST_WORDS]]
            forms = forms or [vocabulary.sentence(character)]
            found.append(forms if self.abuts and not number else [(*comma, *form) for form in forms])
        return found


def _may_open(word: str, character: str, capital: bool, words: frozenset[str] | None) -> bool:
    """Whether a clause may open with a word: with a capital, if letters have one, at the sentence's opening alone."""
    first = word[:1]
    if first.lower() != character.lower():
        return False
    if first.lower() != first.upper() and first.isupper() != capital and word != "I":
        return False
    return words is None or word in words or (capital and first.lower() + word[1:] in words)


def clauses(asked: str, opening: Named | None, ending: Named | None) -> Clauses:
    """The clauses of an acrostic beside the texts that a sentence opens and ends with."""
    before = initials(opening.text) if opening is not None else ""
    after = initials("".join(PARTING.split(ending.text, 1)[1:])) if ending is not None else ""
    fault = None
    for named, held, due in (
        (opening, before, asked[: len(before)]),
        (ending, after, asked[len(asked) - len(after) :]),
    ):
        if named is not None and held.lower() != due.lower():
            fault = Fault(
                field="acrostic",
                code=Code.CONTRADICTORY,
                message=f"the clauses of {named.text!r} ({named.field}) open with {held!r}, not {due!r}",
                remedy=f"change acrostic or {named.field}",
            )
    if fault is None and len(before) + len(after) > len(asked) - (opening is None):
        fault = Fault(
            field="acrostic",
            code=Code.CONTRADICTORY,
            message=f"starts_with and ends_with have more clauses than the {len(asked)} of the acrostic",
            remedy="give more characters, or shorter texts",
        )
    abuts = opening is None or PARTING.match(opening.text[-1:]) is not None
    return Clauses(asked, asked[len(before) : len(asked) - len(after)], opening is None, abuts, fault)
