"""German, a third language in one file."""

from collections.abc import Sequence

from app.languages.alphabet import alphabetic_rule
from app.languages.base import Language
from models.language.vocabulary import Mask, after_space
from samplers.constraints.base import Constraint
from samplers.constraints.opening import CapitalOpening
from samplers.spans import Decode


class German(Language):
    """German: umlauts, „quotes“, a capital at the opening."""

    code = "de"
    name = "German"
    opening = (
        "Jeden Morgen läuft sie vor der Arbeit durch den Wald. "
        "Der Gewinn der Firma stieg im letzten Jahr um ein Fünftel. "
        "Nach dem Regen spielten die Kinder wieder im Hof."
    )
    masks = (Mask("de", alphabetic_rule("a-zäöüß", "A-ZÄÖÜ", short_words="", marks="0-9;:()%„“-"), after_space),)
    closing_quotes = "“"

    def constraints(self, forms: Sequence[Sequence[str]], decode: Decode) -> list[Constraint]:
        """Those of every language, and a capital at the opening."""
        return [*super().constraints(forms, decode), CapitalOpening()]
