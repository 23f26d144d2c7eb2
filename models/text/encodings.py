"""Text encodings: their names, their byte order marks, and a guess for bytes that are not UTF-8."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932"}
"""Files in these encodings tend to hold characters of their supersets."""

_GUESSES = (
    ("gbk", "gb18030"),
    ("gb18030", "gb18030"),
    ("big5", "big5"),
    ("shift_jis", "cp932"),
    ("cp932", "cp932"),
    ("cp1251", "cp1251"),
    ("cp1252", "cp1252"),
)
"""Names that a guess may give, the likelier first, and the codec by which the detector knows each."""

_UNREADABLE = "chainwright-unreadable"
_PROBE_TEXT = "a\tb\n"


def codec_of(name: str) -> str:
    """The name of Python's codec for an encoding, one that reads all that is written under its name.

    Raises:
        LookupError: there is none for text.
    """
    try:
        found = codecs.lookup(name).name
        if (
            incremental_decoder(found).decode(_PROBE_TEXT.encode(found), final=True).removeprefix("\ufeff")
            != _PROBE_TEXT
        ):
            raise LookupError(name)
    except (LookupError, ValueError, TypeError) as error:
        raise LookupError(f"there is no text encoding {name[:40]!r}") from error
    return _SUPERSETS.get(found, "utf-8" if found in ("utf-8-sig", "ascii") else found)


def incremental_decoder(codec: str) -> codecs.IncrementalDecoder:
    """A decoder that writes half a surrogate pair, which no encoding has, for what cannot be read."""
    return codecs.getincrementaldecoder(codec)(_UNREADABLE)


def guess(sample: bytes) -> str | None:
    """The encoding that bytes which are not UTF-8 are likeliest in; None if they look like no text."""
    fitting = {match.encoding: match.chaos for match in from_bytes(sample, cp_isolation=[name for _, name in _GUESSES])}
    likely = [
        (fitting[codec], at, shown)
        for at, (shown, codec) in enumerate(_GUESSES)
        if codec in fitting and (text := _decoded(sample, shown)) is not None and _plausible(text, shown)
    ]
    return min(likely)[2] if likely else None


def guess_without_mark(head: bytes) -> str | None:
    """UTF-16 of the likelier byte order, for text in it without a mark; None for other data with zero bytes."""
    big = head[0::2].count(0) > head[1::2].count(0)
    name = "utf-16-be" if big else "utf-16-le"
    text = _decoded(head[: len(head) // 2 * 2], name)
    return name if text is not None and "\0" not in text else None


def _decoded(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _plausible(text: str, encoding: str) -> bool:
    """Letters of one script stand together: accented ones beside plain ones, all others by themselves."""
    runs = re.findall(r"[^\x00-\x7f]+", text)
    beside = len(re.findall(r"[a-zA-Z][^\x00-\x7f]+|[^\x00-\x7f]+[a-zA-Z]", text))
    if encoding == "cp1252":
        return beside * 2 >= len(runs)
    return beside * 2 < len(runs) and sum(map(str.isalpha, "".join(runs))) >= (3 if encoding == "cp1251" else 2)


def _unreadable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error(_UNREADABLE, _unreadable)
