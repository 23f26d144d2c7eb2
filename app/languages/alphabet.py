"""Vocabulary rules of languages that write words in letters, with spaces between."""

from __future__ import annotations

import re
from collections.abc import Collection

from models.language.vocabulary import PIECE_RANK, WORD_RANK, Role, Rule


def alphabetic_rule(lower: str, upper: str, short_words: Collection[str], marks: str) -> Rule:
    """Rule of whole words with their leading space, a comma between, `. ! ?` to close.

    Pieces of words only spell keywords and given texts, so no proposal can grow or split a word.

    Args:
        lower: small letters, as in a set of a regular expression: ``a-z``.
        upper: capital letters.
        short_words: words of one letter.
        marks: what else spells keywords and given texts: digits and marks, as in such a set.
    """
    word = re.compile(rf" [{upper}{lower}][{lower}]*| [{upper}]+")
    part = re.compile(rf"[{lower}]+|[{upper}]")
    mark = re.compile(rf" ?[{marks}]")

    def rule(piece: str, rank: int) -> Role | None:
        if piece in (".", "!", "?"):
            return Role.END
        if piece == ",":
            return Role.INTERIOR
        if word.fullmatch(piece):
            if len(piece) == 2 and piece[1] not in short_words:
                return Role.SPELLING
            return Role.INTERIOR if rank < WORD_RANK else None
        if part.fullmatch(piece):
            return Role.SPELLING if rank < PIECE_RANK or len(piece) == 1 else None
        return Role.SPELLING if mark.fullmatch(piece) else None

    return rule
