"""Vocabulary masks: which tokens a sentence may be made of, and what part each may play."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.language.piece_trie import PieceTrie


class Role(enum.Enum):
    """Part of a token in a sentence."""

    INTERIOR = "interior"
    """May be proposed at any free position."""
    END = "end"
    """Closes a sentence."""
    SPELLING = "spelling"
    """Only spells keywords and given texts; never proposed."""


Rule = Callable[[str, int], Role | None]
"""The part that a token plays, by its text (a leading space kept) and its id; None masks it out."""

Lead = Callable[[str], Sequence[str]]
"""Texts that may go before a word in a sentence; the first of them also goes before a sentence."""

WORD_RANK = 100_000
"""BPE ranks (ids) from which on words in letters are left out: rarer ones are seldom of the language."""
PIECE_RANK = 60_000


def adjoining(word: str) -> Sequence[str]:
    """Nothing before a word."""
    return ("",)


def after_space(word: str) -> Sequence[str]:
    """A space before each word, which tokens carry."""
    return (" ",)


@dataclass(frozen=True, slots=True)
class Mask:
    """A named rule for tokens, and how words are written with them."""

    name: str
    rule: Rule
    lead: Lead = adjoining

    def widened(self) -> Mask:
        """The mask by :func:`wide_rule`."""
        return replace(self, name=self.name + WIDE, rule=wide_rule(self.rule))


WIDE = "-wide"
"""End of the name of a mask that spells all that the tokenizer can."""

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
            or (rank < WORD_RANK and (_NO_LETTERS.fullmatch(piece) or (latin and _LATIN_TEXT.fullmatch(piece))))
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
        lead: texts that may go before words.
        pieces: text of every token of the tokenizer, None for those that are no text.
        ids: token ids of the allowed tokens, by local id, shape (V,).
        interior: number of interior tokens.
        ends: number of end tokens.
        encode: the tokenizer's own segmentation of a text.
        byte_pieces: of the allowed tokens that are a part of a character, its bytes.
    """

    name: str
    lead: Lead
    pieces: Sequence[str | None]
    ids: npt.NDArray[np.int64]
    interior: int
    ends: int
    encode: Callable[[str], list[int]] = field(repr=False)
    byte_pieces: Mapping[int, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def build(
        cls,
        mask: Mask,
        pieces: Sequence[str | None],
        encode: Callable[[str], list[int]],
        *,
        byte_pieces: Mapping[int, bytes] | None = None,
    ) -> Vocabulary:
        """Apply a mask's rule to every token; those in ``byte_pieces`` only spell.

        Raises:
            ValueError: the rule leaves no interior or no end token.
        """
        chosen: dict[Role, list[int]] = {role: [] for role in Role}
        for token, piece in enumerate(pieces):
            role = mask.rule(piece, token) if piece else None
            if role is not None:
                chosen[role].append(token)
        interior, ends = chosen[Role.INTERIOR], chosen[Role.END]
        if not interior or not ends:
            raise ValueError(
                f"vocabulary {mask.name!r}: the rule leaves {len(interior)} interior and {len(ends)} end tokens"
            )
        ids = np.array(interior + ends + chosen[Role.SPELLING] + sorted(byte_pieces or ()), dtype=np.int64)
        return cls(mask.name, mask.lead, pieces, ids, len(interior), len(ends), encode, byte_pieces or {})

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def local(self) -> dict[int, int]:
        """Local id by token id."""
        return {int(token): k for k, token in enumerate(self.ids)}

    @cached_property
    def local_ids(self) -> npt.NDArray[np.int64]:
        """Local id by token id, -1 of what the mask leaves out, (tokens of the tokenizer,)."""
        places = np.full(len(self.pieces), -1, dtype=np.int64)
        places[self.ids] = np.arange(len(self.ids))
        return places

    @property
    def end_tokens(self) -> list[int]:
        """Token ids that close a sentence."""
        return [int(token) for token in self.ids[self.interior : self.interior + self.ends]]

    @cached_property
    def _by_text(self) -> dict[str, int]:
        return {piece: int(token) for token in reversed(self.ids) if (piece := self.pieces[int(token)]) is not None}

    @cached_property
    def trie(self) -> PieceTrie:
        """The texts of its tokens."""
        return PieceTrie(self._by_text)

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
        """Token sequences by which a word may stand in a sentence, one for each lead that can be spelled.

        Raises:
            SpellingError: it cannot be spelled after its first lead.
        """
        first, *others = self.lead(word)
        found = [self.spell(first + word)]
        for lead in others:
            with suppress(SpellingError):  # 5G, say: no piece is a space and a digit
                found.append(self.spell(lead + word))
        return list(dict.fromkeys(found))

    def sentence(self, text: str) -> tuple[int, ...]:
        """Token ids of a whole given sentence, scored as the sampler would score it.

        Raises:
            SpellingError: the mask cannot write it.
        """
        return self.spell(self.lead(text)[0] + text)
