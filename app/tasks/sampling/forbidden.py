"""Forbidden words among the words that a sentence must have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.languages.base import Language
from app.languages.choice import Named
from app.web.codes import Code
from app.web.problems import Fault
from samplers.constraints.words import Boundaries, occurrences


def forbidden_faults(named: Sequence[Named], forbidden: Sequence[str], language: Language) -> Iterator[Fault]:
    """A fault for each word that is, or contains, a forbidden one."""
    for form in named:
        for at, word in enumerate(forbidden):
            if _contains(form.text.lower(), word.lower(), language.forbidden_edges):
                how = "is" if form.text.lower() == word.lower() else "contains"
                yield Fault(
                    field=form.field,
                    code=Code.FORBIDDEN_KEYWORD,
                    message=f"{form.text!r} {how} the forbidden word {word!r} (forbidden[{at}])",
                    remedy="take the word out of one of the two",
                )


def _contains(text: str, word: str, edges: Boundaries | None) -> bool:
    return word in text if edges is None else next(occurrences(word, text, edges(text)), None) is not None
