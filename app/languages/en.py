"""English."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.languages.alphabet import alphabetic_rule
from app.languages.base import Language
from app.languages.contexts import en
from models.language.vocabulary import Mask, after_space
from models.odds import Odds
from samplers.constraints.base import Constraint
from samplers.constraints.capitals import CapitalForms
from samplers.constraints.opening import CapitalOpening
from samplers.constraints.phrases import WholePhrases
from samplers.spans import Decode

english_rule = alphabetic_rule("a-z", "A-Z", short_words="aAI", marks=r"0-9;:'\"()$%&’“”-")


_FUNCTION_WORDS = (
    "a an the this that these those my your his her its our their some any no every each either neither both all "
    "half many much more most few fewer less several other another such what which who whom whose where when why how "
    "I you he she it we they me him us them myself yourself himself herself itself ourselves themselves mine yours "
    "hers ours theirs one someone anyone everyone nobody something anything everything nothing am is are was were be "
    "been being do does did have has had having will would shall should can could may might must ought not never and "
    "or but nor so yet for if because although though while since until unless than as whether of in on at by to "
    "from with without into onto over under above below between among through during before after about against "
    "around across along behind beside besides beyond near off out up down upon within like there here then now too "
    "very also just only even still again always often"
)
"""Determiners, pronouns, auxiliaries, conjunctions, prepositions, and adverbs of place, time and degree."""


class English(Language):
    """English: capital openings, whole phrases, capital forms at the opening alone."""

    code = "en"
    name = "English"
    function_words = frozenset(_FUNCTION_WORDS.split())
    opening = (
        "It was raining hard by the time we reached the station. "
        "Prices have gone up a little since last spring. "
        "My grandmother taught me how to bake bread in her old stove. "
        "A small boat was tied to the end of the pier. "
        "Two students from the village won first prize. "
        "Nobody knew why the lights had gone out."
    )
    pool = en.POOL
    examples = en.EXAMPLES
    masks = (Mask("en", english_rule, after_space),)
    naturalness = Odds.read(Path(__file__).parent / "naturalness" / "en.json")

    def constraints(self, forms: Sequence[Sequence[str]], decode: Decode) -> list[Constraint]:
        """See :meth:`Language.constraints`."""
        capitals = CapitalForms(forms, decode)
        kept = [*super().constraints(forms, decode), CapitalOpening(), WholePhrases(decode)]
        return [*kept, capitals] if capitals.applies else kept
