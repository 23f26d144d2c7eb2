"""Characters that sound alike: by the pinyin of pypinyin (MIT), tones left out."""

from __future__ import annotations

from functools import cache

from pypinyin import Style, pinyin
from pypinyin.contrib.tone_convert import to_finals, to_initials

from models.confusions.characters import CHARACTERS

_INITIALS = [
    *("z zh", "c ch", "s sh", "n l", "f h", "r l"),  # 模糊音: what input methods let pass for the same
    *("b p", "d t", "g k", "j q", "q x", "j x", "zh ch", "ch sh", "z c", "c s", "g h", "k h", "zh j", "ch q", "sh x"),
]
_FINALS = [
    *("an ang", "en eng", "in ing", "ian iang", "uan uang"),
    *("un ong", "u v", "ou uo", "o uo", "e uo", "ei ui", "ie ve", "i v", "ian in", "ong eng", "en un", "ai ei"),
]


def _pairs(written: list[str]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(pair.split()) for pair in written)


CONFUSED_INITIALS, CONFUSED_FINALS = _pairs(_INITIALS), _pairs(_FINALS)
FUZZY_INITIALS, FUZZY_FINALS = _pairs(_INITIALS[:6]), _pairs(_FINALS[:5])


@cache
def syllables(character: str) -> frozenset[str]:
    """All readings of a character without tones, ü as v; none of what has none."""
    (readings,) = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore") or ([],)
    return frozenset(reading for reading in readings if reading)


@cache
def similar(one: str, other: str) -> bool:
    """Whether two different syllables are easily taken for each other.

    They are if they differ in the initial alone, by a pair that is often confused; in the final alone, by such a pair
    or a single letter; or in both, by pairs that input methods let pass for the same.
    """
    if one == other:
        return False
    initials = frozenset((to_initials(one, strict=False), to_initials(other, strict=False)))
    finals = frozenset((to_finals(one, strict=False), to_finals(other, strict=False)))
    if len(initials) == 1:
        return finals in CONFUSED_FINALS or _one_letter_apart(*sorted(finals, key=len))
    if len(finals) == 1:
        return initials in CONFUSED_INITIALS
    return initials in FUZZY_INITIALS and finals in FUZZY_FINALS


def _one_letter_apart(shorter: str, longer: str) -> bool:
    if len(shorter) == len(longer):
        return sum(a != b for a, b in zip(shorter, longer, strict=True)) == 1
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


@cache
def _by_syllable() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for character in CHARACTERS:
        for syllable in syllables(character):
            found.setdefault(syllable, []).append(character)
    return found


@cache
def homophones(character: str) -> frozenset[str]:
    """Characters that share a reading with it, itself left out."""
    by_syllable = _by_syllable()
    return frozenset(other for own in syllables(character) for other in by_syllable.get(own, ())) - {character}


@cache
def _similar_syllables(syllable: str) -> list[str]:
    return [other for other in _by_syllable() if similar(syllable, other)]


@cache
def near_homophones(character: str) -> frozenset[str]:
    """Characters with a reading similar to one of its own, homophones left out."""
    by_syllable = _by_syllable()
    near = {
        other for own in syllables(character) for syllable in _similar_syllables(own) for other in by_syllable[syllable]
    }
    return frozenset(near) - homophones(character) - {character}
