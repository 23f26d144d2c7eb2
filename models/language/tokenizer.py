"""The tokenizer as the scorer needs it: texts to ids, and the text of every id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from tokenizers import AddedToken, Tokenizer


@dataclass(frozen=True, eq=False)
class TextTokenizer:
    """A fast tokenizer for which every text is text: one that spells a control token is not read as that token.

    Attributes:
        backend: the loaded ``tokenizer.json``; see :func:`read_as_text`.
    """

    backend: Tokenizer

    def __post_init__(self) -> None:
        read_as_text(self.backend)

    def encode(self, text: str) -> list[int]:
        """Token ids, nothing added at either end."""
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    @cached_property
    def pieces(self) -> list[str | None]:
        """The text of every token: a SentencePiece ▁ or a byte-level Ġ becomes a leading space.

        Tokens that are special, unused, or not whole UTF-8 characters are None; of those added to the
        tokenizer's own only white space has a text.
        """
        vocabulary = self.backend.get_vocab(with_added_tokens=True)
        raw: list[str | None] = [None] * (max(vocabulary.values()) + 1)
        for piece, token in vocabulary.items():
            raw[token] = piece
        added = self.backend.get_added_tokens_decoder()
        for token in added:
            raw[token] = None
        if self._byte_level:
            texts = [p if p is None else _byte_level_text(p) for p in raw]
        else:
            texts = [None if p is None or _BYTE.fullmatch(p) else p.replace("▁", " ") for p in raw]
        for token, spelled in added.items():
            texts[token] = spelled.content if spelled.content.isspace() else None
        return texts

    @cached_property
    def byte_pieces(self) -> dict[int, bytes]:
        """The bytes of every token that stands for some and is no text: of characters that have no token."""
        added = self.backend.get_added_tokens_decoder()
        found: dict[int, bytes] = {}
        for piece, token in self.backend.get_vocab(with_added_tokens=False).items():
            if token in added:
                continue
            if not self._byte_level:
                if (match := _BYTE.fullmatch(piece)) is not None:
                    found[token] = bytes.fromhex(match[1])
            elif _byte_level_text(piece) is None and (spelled := _byte_level_bytes(piece)) is not None:
                found[token] = spelled
        return found

    def written(self, token: int) -> bytes:
        """What a token writes: nothing of a control token, or of an id that the model has and the tokenizer has not."""
        if (spelled := self.byte_pieces.get(token)) is not None:
            return spelled
        return (self.pieces[token] or "").encode() if token < len(self.pieces) else b""

    def named(self, token: int) -> str:
        """The text of a token, of a part of a character its bytes, such as ``<0xE2>``, of a control token its name."""
        if (spelled := self.byte_pieces.get(token)) is not None:
            return "".join(f"<0x{byte:02X}>" for byte in spelled)
        return self.written(token).decode() or self.backend.id_to_token(token) or f"<{token}>"

    @cached_property
    def _byte_level(self) -> bool:
        # SentencePiece vocabularies may hold Ġ as a letter; only byte-level ones use it for the space.
        pieces = self.backend.get_vocab(with_added_tokens=False)
        return sum(p.startswith("Ġ") for p in pieces) > sum(p.startswith("▁") for p in pieces)


_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BRACKETED = re.compile(r"<[^<>]+>|\[[^\[\]]+\]")
_MARKUP = re.compile(
    r"</?(?:a|b|bbox|blockquote|body|caption|code|div|em|footer|h[1-6]|html|i|iframe|img|li|ol|p|s|span|strong|sub|sup"
    r"|table|tbody|td|tfoot|th|thead|tr|u|ul)>"
)
"""Elements of HTML that tokenizers have tokens for: these are text."""


def read_as_text(backend: Tokenizer) -> None:
    """Make a tokenizer read the spelling of its control tokens as text.

    Some control tokens are not declared special: ``<start_of_image>`` of Gemma, ``<think>`` of Qwen.
    """
    backend.encode_special_tokens = True
    controls: list[AddedToken] = []
    for token in backend.get_added_tokens_decoder().values():
        if not token.special and _BRACKETED.fullmatch(token.content) and not _MARKUP.fullmatch(token.content):
            token.special = True
            controls.append(token)
    backend.add_special_tokens(controls)


@cache
def _byte_level_table() -> dict[str, int]:
    """Inverse of the printable stand-ins that byte-level BPE gives the 256 bytes (GPT-2)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {chr(byte): byte for byte in plain}
    shifted = [byte for byte in range(256) if byte not in set(plain)]
    return table | {chr(256 + k): byte for k, byte in enumerate(shifted)}


def _byte_level_bytes(piece: str) -> bytes | None:
    table = _byte_level_table()
    try:
        return bytes(table[c] for c in piece)
    except KeyError:
        return None


def _byte_level_text(piece: str) -> str | None:
    spelled = _byte_level_bytes(piece)
    try:
        return None if spelled is None else spelled.decode()
    except UnicodeDecodeError:
        return None
