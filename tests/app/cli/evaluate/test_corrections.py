"""Metrics of corrections, counted by hand."""

from __future__ import annotations

import pytest

from app.cli.evaluate.corrections import Pair, calibration, summary
from app.tasks.corrections.schemas import Correction, EditReport


def corrected(source: str, *edits: tuple[int, str, float]) -> Correction:
    reports = [
        EditReport(start=at, end=at + len(new), old=source[at : at + len(new)], new=new, kind="homophone", confidence=c)
        for at, new, c in edits
    ]
    return Correction(source=source, target="", changed=bool(edits), edits=reports, alternatives=[], language="zh")


PAIRS = [
    Pair(1, "公圆", "公园"),  # mended
    Pair(2, "保户人", "保护人"),  # changed to something else
    Pair(3, "应为", "因为"),  # not surely enough
    Pair(4, "今天", "今天"),  # spoilt
    Pair(5, "明天", "明天"),  # left alone
]
CORRECTIONS = [
    corrected("公圆", (1, "园", 0.9)),
    corrected("保户人", (1, "互", 0.9)),
    corrected("应为", (0, "因", 0.55)),
    corrected("今天", (0, "金", 0.85)),
    corrected("明天"),
]


def test_sentences_and_characters_are_counted() -> None:
    report = summary(PAIRS, CORRECTIONS, 0.8)
    assert (report["texts"], report["right"], report["false_alarms"]) == (5, 2, 0.5)
    assert report["sentence"] == pytest.approx({"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3})
    assert report["character"] == pytest.approx({"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3})
    assert report["wrong_ones_changed"] == pytest.approx(2 / 3)
    surer = summary(PAIRS, CORRECTIONS, 0.5)
    assert surer["sentence"] == pytest.approx({"precision": 2 / 4, "recall": 2 / 3, "f1": 4 / 7})
    assert summary(PAIRS, CORRECTIONS, 0.95)["sentence"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_the_calibration_error_weighs_bins_by_their_edits() -> None:
    report = calibration(PAIRS, CORRECTIONS)
    assert report["edits"] == 4
    assert [(each["from"], each["edits"], each["right"]) for each in report["reliability"]] == [
        (0.5, 1, 1.0),
        (0.8, 1, 0.0),
        (0.9, 2, 0.5),
    ]
    assert report["calibration_error"] == pytest.approx((0.45 + 0.85 + 2 * 0.4) / 4)
    assert calibration(PAIRS[4:], CORRECTIONS[4:])["calibration_error"] is None
