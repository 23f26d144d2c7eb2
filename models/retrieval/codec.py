"""How questions and keys are written in a model's tokens: the one place that knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

SEPARATORS = ("\n", "<extra_id_0>", "<sep>", "|")
"""Texts that may separate the parts of a key; the first that is one token of a vocabulary does."""


@dataclass(frozen=True, eq=False)
class KeyCodec:
    """Questions and keys to tokens, and back.

    A prefix-LM reads ``begin question SEP`` and goes on with the key; an encoder reads
    ``begin question end``. A key is its parts, each segmented by itself, with SEP between:
    ``subject SEP predicate`` or ``subject SEP predicate SEP meaning``. Search closes it with the
    end token.

    Attributes:
        encode: text to token ids, nothing added.
        decode: token ids to text.
        separator: SEP.
        end: the token that closes a key.
        before: tokens before a question.
        after: tokens after it.
    """

    encode: Callable[[str], list[int]]
    decode: Callable[[Sequence[int]], str]
    separator: int
    end: int
    before: tuple[int, ...]
    after: tuple[int, ...]

    @classmethod
    def prefix_lm(
        cls, encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str], begin: int, end: int
    ) -> KeyCodec:
        """For a causal LM.

        Raises:
            ValueError: none of :data:`SEPARATORS` is one token.
        """
        separator = _separator(encode)
        return cls(encode, decode, separator, end, (begin,), (separator,))

    @classmethod
    def encoder(cls, encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str], end: int) -> KeyCodec:
        """For an encoder-decoder model.

        Raises:
            ValueError: none of :data:`SEPARATORS` is one token.
        """
        return cls(encode, decode, _separator(encode), end, (), (end,))

    def question(self, text: str) -> tuple[int, ...]:
        """What the model reads before it writes: white space collapsed, so that no question holds a SEP of its own."""
        return (*self.before, *self.encode(" ".join(text.split())), *self.after)

    def key(self, parts: Iterable[str]) -> tuple[int, ...]:
        """The tokens of a key.

        Raises:
            ValueError: no parts, an empty one, or one whose tokens hold SEP or the end token.
        """
        tokens: list[int] = []
        for part in parts:
            if tokens:
                tokens.append(self.separator)
            written = self.encode(part)
            if not written or self.separator in written or self.end in written:
                raise ValueError(
                    f"{part!r} cannot be part of a key: it is empty, or holds the separator or the end token; "
                    "strip line breaks and control tokens from it"
                )
            tokens += written
        if not tokens:
            raise ValueError("a key needs at least one part")
        return tuple(tokens)

    def parts(self, tokens: Iterable[int]) -> tuple[str, ...]:
        """The texts between separators."""
        groups = groupby((token for token in tokens if token != self.end), key=lambda token: token == self.separator)
        return tuple(self.decode(list(group)).strip() for is_separator, group in groups if not is_separator)


def _separator(encode: Callable[[str], list[int]]) -> int:
    for text in SEPARATORS:
        tokens = encode(text)
        if len(tokens) == 1:
            return tokens[0]
    raise ValueError(f"the tokenizer writes none of {SEPARATORS} as one token: no separator for the parts of a key")
