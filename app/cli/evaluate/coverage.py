"""Coverage: keywords that stand in a text as words, decided apart from the sampler's own constraint."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.languages.base import Language

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def covered(forms: Sequence[str], text: str, language: Language) -> bool:
    """Whether one of the forms is in the text, as words.

    Where words are written apart, the form's words follow one another among the words of the text; elsewhere the
    form is a substring that begins and ends where words do.
    """
    if language.words_apart:
        words = _WORD.findall(text)
        return any(_contains(words, _WORD.findall(form)) for form in forms)
    edges = language.edges(text)
    return any(
        match.start() in edges and match.start() + len(form) in edges
        for form in forms
        for match in re.finditer(f"(?={re.escape(form)})", text)
    )


def _contains(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return bool(wanted) and any(
        list(words[i : i + len(wanted)]) == list(wanted) for i in range(len(words) - len(wanted) + 1)
    )
