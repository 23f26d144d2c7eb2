"""Text normalisation: one form for every text that comes in, whichever way it was typed or stored."""

from __future__ import annotations

import re
import unicodedata

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""Unicode's category Zs without the plain space."""
_INVISIBLE = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Unicode's category Cf without what shows or lays out (Arabic and Kaithi signs, hieroglyphs) and the joiners."""
_JOINERS = "\u200c\u200d"
_WIDE = "０-９Ａ-Ｚａ-ｚ"

_CHANGED = re.compile(f"[\r{_SPACES}{_INVISIBLE}{_JOINERS}{_WIDE}]")
_SPACE, _GONE, _WIDE_CHARACTER = (re.compile(f"[{some}]") for some in (_SPACES, _INVISIBLE, _WIDE))
_WIDTH = ord("Ａ") - ord("A")
_LINE_END = re.compile(r"\r\n?")
_STRAY_JOINER = re.compile(
    r"(?<![\u0600-\u1cff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])[\u200c\u200d]+|[\u200c\u200d]+(?!\S)"
)
"""Zero-width joiners where none is due: Arabic and Indian scripts and emoji are written with them, others are not."""
_WHITE = re.compile(r"\s+")
_LOOSE_SPACE = re.compile(r"^\s|\s$|\s\s|[^\S ]")
_SUSPECT = re.compile(f"[\t\v\f\r\x1c-\x1f\x85\u2028\u2029{_SPACES}{_INVISIBLE}{_JOINERS}{_WIDE}]")
"""Characters that no normal form of a name holds, or only beside certain others."""


def normalise(text: str) -> str:
    """The normal form of a text.

    CR LF and CR become LF; full-width Latin letters and digits half-width (marks stay as they are);
    every space (no-break, ideographic, ...) the plain one; invisible format characters (zero-width
    space, byte order mark, soft hyphen, direction marks, ...) go; what remains is in Unicode's
    normal form C. Idempotent.
    """
    if _CHANGED.search(text):
        text = _SPACE.sub(" ", _GONE.sub("", _LINE_END.sub("\n", text)))
        text = _WIDE_CHARACTER.sub(lambda match: chr(ord(match[0]) - _WIDTH), _STRAY_JOINER.sub("", text))
    return unicodedata.normalize("NFC", text)


def normalise_name(text: str) -> str:
    """The normal form of a name: of the text, outer white space dropped, inner white space one space."""
    text = normalise(text)
    return _WHITE.sub(" ", text).strip() if _LOOSE_SPACE.search(text) else text


def are_normal_names(joined: str, count: int) -> bool:
    """Whether texts, LF between them, are certainly all in the normal form of a name: fast, for many of them.

    Args:
        joined: the texts.
        count: how many they are.
    """
    loose = f"\n{joined}\n"
    return (
        _SUSPECT.search(joined) is None
        and "  " not in loose
        and "\n " not in loose
        and " \n" not in loose
        and joined.count("\n") == max(0, count - 1)
        and unicodedata.is_normalized("NFC", joined)
    )
