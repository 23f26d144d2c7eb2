"""Variants of characters: other forms of the same one, by the table of yitizi (MIT)."""

from __future__ import annotations

from functools import cache

import yitizi


@cache
def variants(character: str) -> frozenset[str]:
    """Traditional, simplified and other forms of a character, itself left out."""
    return frozenset(yitizi.get(character)) - {character}
