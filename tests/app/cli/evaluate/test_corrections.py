"""Metrics of corrections, counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.evaluate.corrections import CorrectionsEvaluation, Pair, calibration, read_pairs, summary
from app.tasks.corrections.schemas import Correction, EditReport
from app.web.problems import ProblemError


def corrected(source: str, *edits: tuple[int, str, float]) -> Correction:
    reports = [
        EditReport(start=at, end=at + len(new), old=source[at : at + len(new)], new=new, kind="homophone", confidence=c)
        for at, new, c in edits
    ]
    return Correction(source=source, target="", changed=bool(edits), edits=reports, alternatives=[], language="zh")


PAIRS = [
    Pair.of(1, "公圆", ["公园"]),  # mended
    Pair.of(2, "保户人", ["保护人"]),  # changed to something else
    Pair.of(3, "应为", ["因为"]),  # not surely enough
    Pair.of(4, "今天", ["今天"]),  # spoilt
    Pair.of(5, "明天", ["明天"]),  # left alone
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


def test_targets_of_other_lengths_are_counted_by_spans() -> None:
    pairs = [
        Pair.of(1, "我去了学校学校", ["我去学校", "我去了学校"]),
        Pair.of(2, "他喜欢苹果", ["他喜欢吃苹果"]),
        Pair.of(3, "今天很好", ["今天很好"]),
    ]
    corrections = [
        edited("我去了学校学校", (5, 7, "", 0.9)),
        edited("他喜欢苹果", (3, 3, "吃", 0.8), (0, 1, "她", 0.7)),
        edited("今天很好", (2, 2, "也", 0.3)),
    ]
    report = summary(pairs, corrections, 0.5)
    assert report["span"] == pytest.approx(
        {"precision": 2 / 3, "recall": 1.0, "f0.5": 1.25 * (2 / 3) / (0.25 * 2 / 3 + 1)}
    )
    assert report["sentence"] == pytest.approx({"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2})
    assert report["false_alarms"] == 0 and "character" not in report and "gleu" not in report
    assert summary(pairs, corrections, 0.0)["false_alarms"] == 1
    right = {each["from"]: each["right"] for each in calibration(pairs, corrections)["reliability"]}
    assert right == {0.3: 0, 0.7: 0, 0.8: 1, 0.9: 1}


def edited(source: str, *edits: tuple[int, int, str, float]) -> Correction:
    reports = [
        EditReport(start=start, end=end, old=source[start:end], new=new, kind="missing", confidence=confidence)
        for start, end, new, confidence in sorted(edits)
    ]
    return Correction(source=source, target="", changed=True, edits=reports, alternatives=[], language="zh")


def test_a_tokenised_text_is_corrected_as_it_is_written() -> None:
    source = 'He said , " I do n\'t has ( any ) dog . "'
    pair = Pair.of(1, source, ['He said , " I do n\'t have ( any ) dogs . "'], tokenised=True)
    assert pair.text == 'He said, "I don\'t has (any) dog."'
    edits = edited(pair.text, (18, 21, "have", 1.0), (28, 31, "dogs", 1.0), (27, 27, " big", 1.0)).edits
    assert pair.written(edits) == 'He said , " I do n\'t have ( any ) big dogs . "'
    assert [pair.wants(edit) for edit in edits] == [True, False, True]


def test_lines_have_a_target_or_several(tmp_path: Path) -> None:
    def read(*lines: object) -> list[Pair]:
        (tmp_path / "lines").write_text("\n".join(map(json.dumps, lines)), "utf-8")
        return list(read_pairs(CorrectionsEvaluation(tmp_path / "lines", None, 0.5, "auto", None)))

    one, several = read({"source": "a", "target": "b"}, {"source": "a", "targets": ["a", "c"]})
    assert (one.targets, several.targets, several.right) == (("b",), ("a", "c"), True)
    for line in (
        {"source": "a"},
        {"target": "a"},
        {"source": "a", "targets": []},
        {"source": "a", "targets": ["b", 1]},
        [1],
    ):
        with pytest.raises(ProblemError) as raised:
            read(line)
        assert [fault.field for fault in raised.value.faults] == ["lines:1"]
