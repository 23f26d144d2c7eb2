"""Languages of this service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from app.languages.base import Language
from app.languages.en import English
from app.languages.zh import Chinese
from models.language.vocabulary import Mask, Rule

LANGUAGES: dict[str, Language] = {language.code: language for language in (Chinese(), English())}
"""By code; ``auto`` asks them in this order whether a text is theirs."""

FALLBACK = LANGUAGES["en"]
"""Language of texts that none claims."""


def language_of(texts: Iterable[str]) -> Language:
    """The first language that claims one of the texts."""
    held = list(texts)
    return next((language for language in LANGUAGES.values() if any(map(language.claims, held))), FALLBACK)


def detection(subject: str) -> str:
    """How ``auto`` chooses, for the reader of a schema: "Chinese if a keyword has a Han character, else English"."""
    claims = [
        f"{language.name} if {subject} has {language.evidence}" for language in LANGUAGES.values() if language.evidence
    ]
    return ", ".join([*claims, f"else {FALLBACK.name}"])


def masks(rules: Mapping[str, Rule]) -> list[Mask]:
    """Vocabulary masks of all languages; ``rules``, by name, replace those of masks or join them."""
    known = {mask.name: mask for language in LANGUAGES.values() for mask in language.masks}
    brought = {name: replace(known.get(name, Mask(name, rule)), rule=rule) for name, rule in rules.items()}
    return list({**known, **brought}.values())
