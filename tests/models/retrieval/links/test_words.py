"""Where words of a Chinese text begin and end."""

from __future__ import annotations

from itertools import product
from math import exp, log

import numpy as np
import pytest

from models.confusions.words import corpus_size, count_of
from models.retrieval.links.words import NAME_COUNT, boundaries


@pytest.mark.parametrize("text", ["沿海地区", "去纽埃及其", "中国人"])
def test_they_are_those_of_all_ways_to_cut(text: str) -> None:
    """Forward-backward against enumeration."""
    names = [(1, 3)]
    mass = np.zeros(len(text) + 1)
    for cuts in product([False, True], repeat=len(text) - 1):
        bounds = [0, *(at + 1 for at, cut in enumerate(cuts) if cut), len(text)]
        weight = 0.0
        for start, stop in zip(bounds, bounds[1:], strict=False):
            count = count_of(text[start:stop]) or int(stop == start + 1)
            count = max(count, NAME_COUNT) if (start, stop) in names else count
            weight = weight + log(count) - log(corpus_size()) if count else -np.inf
        mass[bounds] += exp(weight)
    np.testing.assert_allclose(np.exp(boundaries(text, names)), mass / mass[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "name", "cut"),
    [
        ("在沿海地区", "海地", True),
        ("发展中国家", "中国", True),
        ("参加纳税", "加纳", True),
        ("他在海地工作", "海地", False),
        ("纽埃及其邻国", "纽埃", False),
        ("约旦河", "约旦", True),
        ("in Chad", "Chad", False),
    ],
)
def test_names_that_cut_words_are_told(text: str, name: str, cut: bool) -> None:
    start = text.index(name)
    edges = boundaries(text, [(start, start + len(name))])
    assert bool(edges[start] + edges[start + len(name)] < log(0.1)) == cut


def test_there_is_nothing_to_cut_without_chinese() -> None:
    assert boundaries("", []).tolist() == [0.0]
    assert not boundaries("Guinea-Bissau", [(0, 6)]).any()
