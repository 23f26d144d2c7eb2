"""Tokenised English texts, joined as they are written."""

from __future__ import annotations

import re

_JOINED = re.compile(r" (?=[.,!?;:%)\]]|n't\b|'(?:s|re|ve|ll|d|m)\b)|(?<=[(\[$]) ", re.IGNORECASE)
_QUOTE = re.compile(r' ?" ?')


def joined(text: str) -> tuple[str, list[int]]:
    """A text without the spaces that tokenising put in, and for each place in it, the end too, that in the text."""
    dropped = {match.start() for match in _JOINED.finditer(text)}
    for number, match in enumerate(_QUOTE.finditer(text)):
        # The first of a pair stands before what is quoted, the second behind.
        at = match.end() - 1 if number % 2 == 0 else match.start()
        if text[at] == " ":
            dropped.add(at)
    kept = [at for at in range(len(text)) if at not in dropped]
    return "".join(text[at] for at in kept), [*kept, len(text)]
