"""Which language and which vocabulary a request needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from models.language.vocabulary import WIDE, SpellingError, Vocabulary, is_simplified

Language = Literal["zh", "en"]

_HAN_CHARACTER = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇\U00020000-\U0003ffff]"
_HAN = re.compile(_HAN_CHARACTER)
_SPACED_HAN = re.compile(rf"{_HAN_CHARACTER}\s+{_HAN_CHARACTER}")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Named:
    """A text of the request and the field that it came in."""

    field: str
    text: str


def choose_language(asked: Literal["zh", "en", "auto"], texts: Iterable[Named]) -> Language:
    """The language asked for; if left open, Chinese as soon as one Han character occurs."""
    if asked != "auto":
        return asked
    return "zh" if any(_HAN.search(named.text) for named in texts) else "en"


def spaced_han(text: str) -> bool:
    """Whether white space stands between two Han characters."""
    return _SPACED_HAN.search(text) is not None


def candidates(language: Language, texts: Sequence[Named]) -> list[str]:
    """Names of the vocabularies to try, narrowest first.

    English has one. Chinese is written in simplified characters if it can be, else with all
    Han characters; with Latin letters in it, in the mixed vocabulary. What none of these spells
    is spelled by the wide form of the vocabulary that fits.
    """
    if language == "en":
        # A Han character is more likely a forgotten language than a word of an English sentence.
        return ["en"] if any(_HAN.search(named.text) for named in texts) else ["en", "en" + WIDE]
    if any(_LATIN.search(named.text) for named in texts):
        return ["mixed", "mixed" + WIDE]
    proposals = "zh" if all(map(is_simplified, _HAN.findall("".join(named.text for named in texts)))) else "zh-full"
    return ["zh", "zh-full", proposals + WIDE]


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
    for name in candidates(language, texts):
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
    written = {"zh": "Chinese", "en": "English"}[language]
    message = (
        f"{named.text[:40]!r} cannot be spelled in the {written} vocabulary from {character!r} on (character {at})"
    )
    if language == "en" and _HAN.search(character):
        remedy = 'set language to "zh" or "auto"'
    elif error.at < shift:
        message += f": the model has no token for the space before {character!r}"
        remedy = "begin it with a letter, or load a model whose tokenizer has the space as a token or spells by bytes"
    elif character.isspace():
        remedy = "leave the white space out, or load a model whose tokenizer has it or spells by bytes"
    else:
        remedy = f"leave {character!r} out, or load a model whose tokenizer has it or spells by bytes"
    return Fault(field=named.field, code=Code.UNSPELLABLE, message=message, remedy=remedy)
