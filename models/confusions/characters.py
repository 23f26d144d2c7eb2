"""The characters that are written for one another."""

from __future__ import annotations


def _encodable(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


SIMPLIFIED = frozenset(c for c in map(chr, range(0x4E00, 0xA000)) if _encodable(c, "gb2312"))
"""Those of GB 2312."""
TRADITIONAL = frozenset(c for c in map(chr, range(0x4E00, 0xA000)) if _encodable(c, "big5"))
"""Those of Big5."""
CHARACTERS = SIMPLIFIED | TRADITIONAL
