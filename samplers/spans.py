"""Character spans of the keywords in the text of a state."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from samplers.state import State

Decode = Callable[[Sequence[int]], str]
"""Token ids to the text that a reader sees, outer white space dropped."""

Span = tuple[int, int]
"""A range of characters: the first, and the one after the last."""


def keyword_spans(state: State, decode: Decode) -> list[Span]:
    """The characters of each keyword's block in the decoded text, in order."""
    spans: list[Span] = []
    for keyword in state.keywords:
        block = state.block(keyword)
        stop = len(decode(state.tokens[: block.stop]))
        spans.append((stop - len(decode(state.tokens[block])), stop))
    return spans


def inside(spans: Sequence[Span], start: int, stop: int) -> bool:
    """Whether one of the spans holds all characters from ``start`` to before ``stop``."""
    return any(first <= start and stop <= last for first, last in spans)


_GROWING = re.compile(r"(?:(?![\u3400-\u9fff\uf900-\ufaff])[\w'’.-])+$")


def whole_words(text: str) -> str:
    """The beginning of a text without its last word, to which letters may still be added; Han characters stay."""
    return _GROWING.sub("", text)
