"""English."""

from __future__ import annotations

from collections.abc import Sequence

from app.languages.alphabet import alphabetic_rule
from app.languages.base import Language
from app.languages.contexts import en
from models.language.vocabulary import Mask, after_space
from samplers.constraints.base import Constraint
from samplers.constraints.capitals import CapitalForms
from samplers.constraints.opening import CapitalOpening
from samplers.constraints.phrases import WholePhrases
from samplers.spans import Decode

english_rule = alphabetic_rule("a-z", "A-Z", short_words="aAI", marks=r"0-9;:'\"()$%&’“”-")


class English(Language):
    """English: capital openings, whole phrases, capital forms at the opening alone."""

    code = "en"
    name = "English"
    opening = (
        "She goes for a run every morning before work. "
        "The company's profits rose by a fifth last year. "
        "He put the hot soup on the table and called everyone to dinner. "
        "Studies show that too little sleep harms the memory. "
        "After the rain the children went back out to play in the yard. "
        "The committee decided to build a new bridge across the river."
    )
    pool = en.POOL
    examples = en.EXAMPLES
    masks = (Mask("en", english_rule, after_space),)

    def constraints(self, forms: Sequence[Sequence[str]], decode: Decode) -> list[Constraint]:
        """See :meth:`Language.constraints`."""
        capitals = CapitalForms(forms, decode)
        kept = [*super().constraints(forms, decode), CapitalOpening(), WholePhrases(decode)]
        return [*kept, capitals] if capitals.applies else kept
