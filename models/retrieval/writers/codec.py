"""Codec: questions and keys in a model's tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SEPARATORS = ("\n", "<extra_id_0>", "<sep>", "|")
"""Texts that may separate the parts of a key; the first that is one token of a vocabulary does."""


@dataclass(frozen=True, eq=False)
class KeyCodec:
    """Questions and keys to tokens, and back.

    A prefix-LM reads ``begin question SEP`` and goes on with the key; an encoder reads
    ``begin question end``. A key is its parts, each segmented by itself, with SEP between:
    ``subject SEP predicate SEP meaning``, the meaning perhaps empty. Search closes it with the end
    token.
    """

    encode: Callable[[str], list[int]]  # text to token ids, nothing added
    decode: Callable[[Sequence[int]], str]  # token ids to text
    separator: int  # SEP
    end: int  # the token that closes a key
    before: tuple[int, ...]  # tokens before a question
    after: tuple[int, ...]  # tokens after it

    @classmethod
    def prefix_lm(
        cls, encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str], begin: int, end: int
    ) -> KeyCodec:
        """The codec of a causal LM; ValueError if none of :data:`SEPARATORS` is one token."""
        separator = _separator(encode)
        return cls(encode, decode, separator, end, (begin,), (separator,))

    @classmethod
    def encoder(cls, encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str], end: int) -> KeyCodec:
        """The codec of an encoder-decoder model; ValueError if none of :data:`SEPARATORS` is one token."""
        return cls(encode, decode, _separator(encode), end, (), (end,))

    def question(self, text: str) -> tuple[int, ...]:
        """The tokens of a question, its white space collapsed, so that it holds no SEP of its own."""
        return (*self.before, *self.encode(" ".join(text.split())), *self.after)

    def questions(self, texts: Sequence[str], longest: int) -> list[tuple[int, ...]]:
        """The tokens of questions.

        Raises:
            ValueError: one has more than ``longest`` tokens.
        """
        tokens = [self.question(text) for text in texts]
        for number, one in enumerate(tokens):
            if len(one) > longest:
                raise ValueError(f"question {number} has {len(one)} tokens: shorten it to at most {longest}")
        return tokens

    def key(self, parts: Sequence[str]) -> tuple[int, ...]:
        """The tokens of a key.

        Raises:
            ValueError: no parts, an empty one other than the last of several, or one whose tokens
                hold SEP or the end token.
        """
        tokens: list[int] = []
        for number, part in enumerate(parts):
            if number:
                tokens.append(self.separator)
            written = self.encode(part)
            may_be_empty = 0 < number == len(parts) - 1
            if (not written and not may_be_empty) or self.separator in written or self.end in written:
                raise ValueError(
                    f"{part!r} cannot be part of a key: it is empty, or holds the separator or the end token; "
                    "strip line breaks and control tokens from it"
                )
            tokens += written
        if not tokens:
            raise ValueError("a key needs at least one part")
        return tuple(tokens)

    def parts(self, tokens: Iterable[int]) -> tuple[str, ...]:
        """The texts between separators, an end token left out."""
        parts: list[list[int]] = [[]]
        for token in tokens:
            if token == self.separator:
                parts.append([])
            elif token != self.end:
                parts[-1].append(token)
        return tuple(self.decode(part).strip() for part in parts)


def _separator(encode: Callable[[str], list[int]]) -> int:
    for text in SEPARATORS:
        tokens = encode(text)
        if len(tokens) == 1:
            return tokens[0]
    raise ValueError(f"the tokenizer writes none of {SEPARATORS} as one token: no separator for the parts of a key")
