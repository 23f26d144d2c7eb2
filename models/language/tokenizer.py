"""The tokenizer as the scorer needs it: texts to ids, and the text of every id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer


@dataclass(frozen=True, eq=False)
class TextTokenizer:
    """A fast tokenizer without special tokens.

    Attributes:
        backend: the loaded ``tokenizer.json``.
    """

    backend: Tokenizer

    @classmethod
    def load(cls, path: Path) -> TextTokenizer:
        """Read a ``tokenizer.json``."""
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, text: str) -> list[int]:
        """Token ids, nothing added at either end."""
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    @cached_property
    def pieces(self) -> list[str | None]:
        """The text of every token: a SentencePiece ▁ or a byte-level Ġ becomes a leading space.

        Tokens that are special, unused, or not whole UTF-8 characters are None.
        """
        vocabulary = self.backend.get_vocab(with_added_tokens=True)
        raw: list[str | None] = [None] * (max(vocabulary.values()) + 1)
        for piece, token in vocabulary.items():
            raw[token] = piece
        for token in self.backend.get_added_tokens_decoder():
            raw[token] = None
        # SentencePiece vocabularies may hold Ġ as a letter; only byte-level ones use it for the space.
        spaced = [sum(p is not None and p.startswith(mark) for p in raw) for mark in ("Ġ", "▁")]
        if spaced[0] > spaced[1]:
            table = _byte_level_table()
            return [p if p is None else _byte_level_text(p, table) for p in raw]
        return [None if p is None or _BYTE.fullmatch(p) else p.replace("▁", " ") for p in raw]


_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def _byte_level_table() -> dict[str, int]:
    """Inverse of the printable stand-ins that byte-level BPE gives the 256 bytes (GPT-2)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {chr(byte): byte for byte in plain}
    shifted = [byte for byte in range(256) if byte not in set(plain)]
    return table | {chr(256 + k): byte for k, byte in enumerate(shifted)}


def _byte_level_text(piece: str, table: dict[str, int]) -> str | None:
    try:
        return bytes(table[c] for c in piece).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None
