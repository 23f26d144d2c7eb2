"""Whether a keyword stands in a text as a word, decided apart from the sampler's own constraint."""

from __future__ import annotations

import re
from collections.abc import Sequence

import rjieba

_WORD = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z0-9]+)*")


def covered(forms: Sequence[str], text: str, spaced: bool) -> bool:
    """Whether one of the forms is in the text, as words.

    English: the form's words follow one another among the words of the text. Chinese: the form
    is a substring that begins and ends where jieba's words do.
    """
    if spaced:
        words = _WORD.findall(text)
        return any(_contains(words, _WORD.findall(form)) for form in forms)
    edges, at = {0}, 0
    for word in rjieba.cut(text):
        at += len(word)
        edges.add(at)
    return any(
        match.start() in edges and match.start() + len(form) in edges
        for form in forms
        for match in re.finditer(f"(?={re.escape(form)})", text)
    )


def _contains(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return bool(wanted) and any(
        list(words[i : i + len(wanted)]) == list(wanted) for i in range(len(words) - len(wanted) + 1)
    )
