"""Other forms of English words, by the tables of lemminflect (MIT)."""

from __future__ import annotations

from functools import lru_cache

from lemminflect import getAllInflections, getAllLemmas

DETERMINERS = (("this", "these"), ("that", "those"), ("much", "many"), ("less", "fewer"))
"""Singular and plural of those, which have no lemma."""


@lru_cache(maxsize=20_000)
def inflections(word: str) -> frozenset[str]:
    """Forms of the lemmas of a word in small letters: number, tense, person, degree; itself left out."""
    lemmas = {lemma for of_part in getAllLemmas(word).values() for lemma in of_part}
    forms = {form for lemma in lemmas for of_tag in getAllInflections(lemma).values() for form in of_tag}
    forms |= {form for pair in DETERMINERS if word in pair for form in pair}
    return frozenset(forms) - {word}
