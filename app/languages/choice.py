"""Choice of a request's language and vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from app.languages.base import Language
from app.languages.registry import LANGUAGES, language_of
from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from models.language.vocabulary import WIDE, SpellingError, Vocabulary

if TYPE_CHECKING:
    LanguageCode: TypeAlias = str
    AskedLanguage: TypeAlias = str
else:
    LanguageCode = Literal[tuple(LANGUAGES)]
    """The code of a language."""
    AskedLanguage = Literal[(*LANGUAGES, "auto")]
    """The code of a language, or auto for the one that the texts are in."""


class Named(NamedTuple):
    """A text of the request and the field that it came in."""

    field: str
    text: str


def choose_language(asked: AskedLanguage, texts: Iterable[str]) -> Language:
    """The language asked for; if left open, the one that the texts are in."""
    return language_of(texts) if asked == "auto" else LANGUAGES[asked]


def candidates(language: Language, texts: Sequence[str]) -> list[str]:
    """Names of the vocabularies to try, narrowest first."""
    names = language.vocabularies(texts)
    if any(other.claims(text) for other in LANGUAGES.values() if other is not language for text in texts):
        # Another language's letter is more likely a forgotten language than a word of a sentence in this one.
        return [name for name in names if not name.endswith(WIDE)]
    return names


def choose_vocabulary(
    language: Language,
    texts: Sequence[Named],
    vocabulary: Callable[[str], Vocabulary],
    spell: Callable[[Vocabulary, str], object],
) -> Vocabulary:
    """The narrowest vocabulary that spells all the texts.

    Args:
        language: what the texts are written in.
        texts: what must be spelled.
        vocabulary: vocabularies by name.
        spell: raises SpellingError where a vocabulary cannot spell a text.

    Raises:
        ProblemError: none spells them; one fault for each text that the widest cannot spell.
    """
    faults: list[Fault] = []
    for name in candidates(language, [named.text for named in texts]):
        chosen, faults = vocabulary(name), []
        for named in texts:
            try:
                spell(chosen, named.text)
            except SpellingError as error:
                faults.append(_fault(named, error, language))
        if not faults:
            return chosen
    raise ProblemError(422, faults[:20])


def _fault(named: Named, error: SpellingError, language: Language) -> Fault:
    shift = len(error.text) - len(named.text)  # a leading space that the spelling adds
    at = max(error.at - shift, 0)
    character = named.text[at : at + 1]
    message = (
        f"{named.text[:40]!r} cannot be spelled in the {language.name} vocabulary from {character!r} on "
        f"(character {at})"
    )
    owner = language_of([character])
    if owner is not language and owner.claims(character):
        remedy = f'set language to "{owner.code}" or "auto"'
    elif error.at < shift:
        message += f": the model has no token for the space before {character!r}"
        remedy = "begin it with a letter, or load a model whose tokenizer has the space as a token or spells by bytes"
    elif character.isspace():
        remedy = "leave the white space out, or load a model whose tokenizer has it or spells by bytes"
    else:
        remedy = f"leave {character!r} out, or load a model whose tokenizer has it or spells by bytes"
    return Fault(field=named.field, code=Code.UNSPELLABLE, message=message, remedy=remedy)
