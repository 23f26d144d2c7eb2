"""Vocabulary masks: which tokens a sentence may be made of, and what part each may play."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt


class Role(enum.Enum):
    """What a token may do in a sentence."""

    INTERIOR = "interior"
    """May be proposed at any free position."""
    END = "end"
    """Closes a sentence."""
    SPELLING = "spelling"
    """Only spells keywords and given texts; never proposed."""


Rule = Callable[[str, int], Role | None]
"""The part that a token plays, by its text (a leading space kept) and its id; None masks it out."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff〇]+")
_HAN_MARK = re.compile(
    r"[\u3001-\u3003\u3005\u3008-\u3011\u2013\u2014\u2018\u2019\u201c\u201d\u2026·％～（），：；！？]{1,2}"
)
_LATIN_WORD = re.compile(r" [A-Za-z][a-z]*| [A-Z]+")
_LATIN_PIECE = re.compile(r"[a-z]+|[A-Z]")
_UNSPACED_WORD = re.compile(r"[A-Z][A-Za-z]+")
LATIN_WORD_RANK = 100_000
"""BPE ranks (ids) from which on Latin words are left out: rarer ones are seldom English."""
LATIN_PIECE_RANK = 60_000


def is_simplified(text: str) -> bool:
    """Whether GB 2312, the simplified characters in daily use, has all of a text."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _han(piece: str) -> Role | None:
    if _HAN.fullmatch(piece):
        return Role.INTERIOR
    if piece in ("。", "！", "？"):
        return Role.END
    if piece in ("，", "、"):
        return Role.INTERIOR
    if _HAN_MARK.fullmatch(piece) or (len(piece) == 1 and piece in "0123456789%.-"):
        return Role.SPELLING
    return None


def chinese_rule(piece: str, rank: int) -> Role | None:
    """Simplified Chinese: words and characters of GB 2312, ，、 between, 。！？ to close."""
    role = _han(piece)
    return role if role is not Role.INTERIOR or is_simplified(piece) else None


def han_rule(piece: str, rank: int) -> Role | None:
    """Every Han character, traditional ones too; marks as :func:`chinese_rule`."""
    return _han(piece)


def english_rule(piece: str, rank: int) -> Role | None:
    """English: whole words with their leading space, a comma between, `. ! ?` to close.

    Pieces of words only spell keywords and given texts, so no proposal can grow or split a word.
    """
    if piece in (".", "!", "?"):
        return Role.END
    if piece == ",":
        return Role.INTERIOR
    if _LATIN_WORD.fullmatch(piece):
        if len(piece) == 2 and piece not in (" a", " A", " I"):
            return Role.SPELLING
        return Role.INTERIOR if rank < LATIN_WORD_RANK else None
    if _LATIN_PIECE.fullmatch(piece):
        return Role.SPELLING if rank < LATIN_PIECE_RANK or len(piece) == 1 else None
    if re.fullmatch(r" ?[0-9;:'\"()$%&’“”-]", piece):
        return Role.SPELLING
    return None


def mixed_rule(piece: str, rank: int) -> Role | None:
    """Chinese (all Han) and English together; unspaced Latin words spell keywords such as APP."""
    role = han_rule(piece, rank) or english_rule(piece, rank)
    if role is None and rank < LATIN_PIECE_RANK and _UNSPACED_WORD.fullmatch(piece):
        return Role.SPELLING
    return role


RULES: dict[str, Rule] = {
    "zh": chinese_rule,
    "zh-full": han_rule,
    "en": english_rule,
    "mixed": mixed_rule,
}
"""The masks by name."""

WIDE = "-wide"
"""What the name of a mask is followed by where it spells whatever the tokenizer can."""

_LATIN_TEXT = re.compile(r" ?[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ'’]+")
_NO_LETTERS = re.compile(r"[\W\d_]+")


def wide_rule(rule: Rule) -> Rule:
    """The same proposals, and every character to spell with: digits, marks, spaces, symbols, accented letters.

    Longer runs of marks and digits are let in too, and Latin words where ``rule`` has Latin letters.
    """
    latin = rule("a", 0) is not None

    def widened(piece: str, rank: int) -> Role | None:
        role = rule(piece, rank)
        if role is None and (
            len(piece) == 1
            or (rank < LATIN_WORD_RANK and (_NO_LETTERS.fullmatch(piece) or (latin and _LATIN_TEXT.fullmatch(piece))))
        ):
            return Role.SPELLING
        return role

    return widened


class SpellingError(ValueError):
    """A text cannot be written with the tokens of a vocabulary.

    Attributes:
        text: the whole text.
        at: the offset of the first character that cannot be reached.
    """

    def __init__(self, text: str, at: int) -> None:
        super().__init__(f"cannot be spelled from {text[at : at + 1]!r} on")
        self.text = text
        self.at = at


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A mask over a tokenizer's tokens.

    The allowed tokens are ordered by role: interior, then ends, then spelling; the k-th has
    *local id* k. All ids outside the models package are token ids of the tokenizer.

    Attributes:
        name: of the mask.
        spaced: whether words carry a leading space, so that a sentence is scored with one.
        pieces: text of every token of the tokenizer, None for those that are no text.
        ids: token ids of the allowed tokens, by local id, shape (V,).
        interior: number of interior tokens.
        ends: number of end tokens.
        encode: the tokenizer's own segmentation of a text.
        byte_pieces: of the allowed tokens that are a part of a character, its bytes.
    """

    name: str
    spaced: bool
    pieces: Sequence[str | None]
    ids: npt.NDArray[np.int64]
    interior: int
    ends: int
    encode: Callable[[str], list[int]] = field(repr=False)
    byte_pieces: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def build(
        cls,
        name: str,
        rule: Rule,
        pieces: Sequence[str | None],
        encode: Callable[[str], list[int]],
        *,
        spaced: bool,
        byte_pieces: Mapping[int, bytes] | None = None,
    ) -> Vocabulary:
        """Apply a rule to every token; those in ``byte_pieces`` only spell.

        Raises:
            ValueError: the rule leaves no interior or no end token.
        """
        chosen: dict[Role, list[int]] = {role: [] for role in Role}
        for token, piece in enumerate(pieces):
            role = rule(piece, token) if piece else None
            if role is not None:
                chosen[role].append(token)
        interior, ends = chosen[Role.INTERIOR], chosen[Role.END]
        if not interior or not ends:
            raise ValueError(
                f"vocabulary {name!r}: the rule leaves {len(interior)} interior and {len(ends)} end tokens"
            )
        ids = np.array(interior + ends + chosen[Role.SPELLING] + sorted(byte_pieces or ()), dtype=np.int64)
        return cls(name, spaced, pieces, ids, len(interior), len(ends), encode, byte_pieces or {})

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def local(self) -> dict[int, int]:
        """Local id by token id."""
        return {int(token): k for k, token in enumerate(self.ids)}

    @property
    def end_tokens(self) -> list[int]:
        """Token ids that close a sentence."""
        return [int(token) for token in self.ids[self.interior : self.interior + self.ends]]

    @cached_property
    def _by_text(self) -> dict[str, int]:
        return {piece: int(token) for token in reversed(self.ids) if (piece := self.pieces[int(token)]) is not None}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._by_text))

    @cached_property
    def _by_byte(self) -> dict[int, int]:
        return {spelled[0]: token for token, spelled in self.byte_pieces.items() if len(spelled) == 1}

    def piece(self, token: int) -> str:
        """The text of one token; of a part of a character its bytes, such as ``<0xE2>``."""
        if (spelled := self.byte_pieces.get(token)) is not None:
            return "".join(f"<0x{byte:02X}>" for byte in spelled)
        return self.pieces[token] or ""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text that a reader sees: pieces joined, outer white space dropped."""
        return self._joined(tokens).strip()

    def _joined(self, tokens: Sequence[int]) -> str:
        if self.byte_pieces.keys().isdisjoint(tokens):
            return "".join(self.pieces[token] or "" for token in tokens)
        parts = (self.byte_pieces.get(token) or (self.pieces[token] or "").encode() for token in tokens)
        return b"".join(parts).decode(errors="replace")

    def spell(self, text: str) -> tuple[int, ...]:
        """Token ids whose pieces join to exactly ``text``.

        The tokenizer's own segmentation if the mask allows it, else the one of fewest allowed
        tokens (ties: longer pieces first). A character without a token is spelled by its bytes, if
        the mask has them.

        Raises:
            SpellingError: no sequence of allowed tokens spells the text.
        """
        own = self.encode(text)
        if all(token in self.local for token in own) and self._joined(own) == text:
            return tuple(own)
        # fewest[i] = (number of tokens, where the last piece starts, its tokens) of the best spelling of text[:i].
        fewest: list[tuple[int, int, tuple[int, ...]] | None] = [(0, 0, ())] + [None] * len(text)
        reached = 0
        for stop in range(1, len(text) + 1):
            for start in range(max(0, stop - self._longest), stop):
                if (before := fewest[start]) is None:
                    continue
                token = self._by_text.get(text[start:stop])
                tokens = (token,) if token is not None else self._bytes_of(text[start]) if stop == start + 1 else ()
                here = fewest[stop]
                if tokens and (here is None or before[0] + len(tokens) < here[0]):
                    fewest[stop] = (before[0] + len(tokens), start, tokens)
                    reached = stop
        steps: list[tuple[int, ...]] = []
        at = len(text)
        while at:
            if (step := fewest[at]) is None:
                raise SpellingError(text, reached)
            steps.append(step[2])
            at = step[1]
        return tuple(token for tokens in reversed(steps) for token in tokens)

    def _bytes_of(self, character: str) -> tuple[int, ...]:
        """The tokens of a character's bytes; none if one of them has no token."""
        if not self._by_byte:
            return ()
        tokens = [self._by_byte.get(byte) for byte in character.encode(errors="surrogatepass")]
        return () if None in tokens else tuple(token for token in tokens if token is not None)

    def spellings(self, word: str) -> list[tuple[int, ...]]:
        """The ways in which a word may stand in a sentence: with its leading space where words have one.

        Raises:
            SpellingError: there is none.
        """
        if self.name.removesuffix(WIDE) == "mixed" and word[:1].isascii():
            unspaced = self.spell(word)
            try:
                return list(dict.fromkeys([unspaced, self.spell(" " + word)]))
            except SpellingError:  # 5G, say: no piece is a space and a digit
                return [unspaced]
        return [self.spell(" " + word if self.spaced else word)]

    def sentence(self, text: str) -> tuple[int, ...]:
        """Token ids of a whole given sentence, scored as the sampler would score it.

        Raises:
            SpellingError: the mask cannot write it.
        """
        return self.spell(" " + text if self.spaced else text)
