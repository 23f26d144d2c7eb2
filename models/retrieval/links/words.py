"""Where words of a Chinese text begin and end: the posterior of a unigram model in which names are words too."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import log

import numpy as np
from numpy.typing import NDArray

from models.confusions.words import corpus_size, count_of

NAME_COUNT = 100
"""Occurrences that a name has at least beside those of the dictionary's corpus of 60 million words."""
LONGEST_WORD = 8
"""Characters of the longest words looked up."""

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff〇\U00020000-\U0003ffff]+")


def boundaries(text: str, names: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    """Log-probability that a word begins or ends at each offset of a text, (N + 1,); 0 outside Chinese.

    p(words) is the product of their shares of the dictionary's corpus (jieba's), names of the text counting as
    :data:`NAME_COUNT` occurrences at least; the sum is over all ways to cut the text (forward-backward). A character of
    no word counts once.

    Args:
        text: in its normal form.
        names: spans of it that are names.
    """
    logs = np.zeros(len(text) + 1)
    named = set(names)
    for run in _HAN.finditer(text):
        first, last = run.span()
        inner = [(a - first, b - first) for a, b in named if first <= a and b <= last]
        logs[first : last + 1] = _of_run(run[0], inner)
    return logs


def _of_run(run: str, names: Iterable[tuple[int, int]]) -> NDArray[np.float64]:
    words: dict[tuple[int, int], int] = {}
    for start in range(len(run)):
        for stop in range(start + 1, min(len(run), start + LONGEST_WORD) + 1):
            if count := count_of(run[start:stop]) or stop == start + 1:
                words[start, stop] = int(count)
    for span in names:
        words[span] = max(words.get(span, 0), NAME_COUNT)
    total = log(corpus_size())
    arcs = sorted((start, stop, log(count) - total) for (start, stop), count in words.items())
    ahead, back = np.full((2, len(run) + 1), -np.inf)
    ahead[0] = back[-1] = 0.0
    for start, stop, weight in arcs:
        ahead[stop] = np.logaddexp(ahead[stop], ahead[start] + weight)
    for start, stop, weight in reversed(arcs):
        back[start] = np.logaddexp(back[start], back[stop] + weight)
    logs: NDArray[np.float64] = np.minimum(ahead + back - ahead[-1], 0.0)
    return logs
