"""Corrects texts whose right form is known, and counts what was mended, missed and spoilt."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.evaluate.each import model_of
from app.cli.evaluate.gleu import gleu
from app.cli.evaluate.lines import json_lines, sink
from app.cli.evaluate.spans import best_counts, spans, total
from app.cli.evaluate.tokenised import joined
from app.engine.engine import Engine
from app.languages.choice import AskedLanguage
from app.tasks.corrections.edits import applied
from app.tasks.corrections.kinds import least_confidence
from app.tasks.corrections.schemas import Correction, CorrectionsRequest, EditReport
from app.tasks.corrections.task import Corrections
from app.web.codes import Code
from app.web.problems import invalid
from app.web.validation import validated

BINS = 10
"""Of the reliability curve."""


@dataclass(frozen=True, slots=True)
class CorrectionsEvaluation:
    """An evaluation to run.

    Attributes:
        file: JSON Lines with ``source`` and ``target``, or ``targets`` that are all right.
        kinds: of errors to look for; None for those that are looked for by default.
        tokenised: whether the texts' words and marks stand apart, as English corpora have them.
        limit: only the first so many lines.
        confidence: least confidence of an edit that counts as made; None for that of its kind.
        language: code of a language, or auto.
        output: JSON Lines with each line's result.
        encoding: of the file; None for UTF-8.
    """

    file: Path
    limit: int | None
    confidence: float | None
    language: AskedLanguage
    output: Path | None
    encoding: str | None = None
    kinds: Sequence[str] | None = None
    tokenised: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and its right forms.

    Attributes:
        line: of the file.
        source: as it stands there.
        targets: each right; the source itself if nothing is wrong with it.
        text: what is corrected of it.
        offsets: of the source, by place of the text.
    """

    line: int
    source: str
    targets: Sequence[str]
    text: str
    offsets: Sequence[int]

    @classmethod
    def of(cls, line: int, source: str, targets: Sequence[str], tokenised: bool = False) -> Pair:
        """The pair, its text joined where it is tokenised."""
        text, offsets = joined(source) if tokenised else (source, range(len(source) + 1))
        return cls(line, source, tuple(targets), text, offsets)

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with the source."""
        return self.source in self.targets

    @property
    def aligned(self) -> bool:
        """Whether its targets have its length, so that characters stand for characters."""
        return all(len(target) == len(self.source) for target in self.targets)

    def written(self, edits: Iterable[EditReport]) -> str:
        """The source with edits of its text."""
        at = self.offsets
        # A space that tokenising put in after a piece stays.
        ends = [(edit, at[edit.end - 1] + 1 if edit.end > edit.start else at[edit.end]) for edit in edits]
        return applied([(at[edit.start], end, edit.new) for edit, end in ends], self.source)

    def wants(self, edit: EditReport) -> bool:
        """Whether a target has an edit: its characters where lengths are the same, else the spans that it changes."""
        if self.aligned:
            return any(target[edit.start : edit.end] == edit.new for target in self.targets)
        made = spans(self.source, self.written([edit]))
        return any(made <= spans(self.source, target) for target in self.targets)


def read_pairs(evaluation: CorrectionsEvaluation) -> Iterator[Pair]:
    """The texts of the file.

    Raises:
        ProblemError: a line is not what it should be.
        TextFileError: the file cannot be read.
    """
    for number, line in json_lines(evaluation.file, evaluation.encoding)[: evaluation.limit]:
        source, targets = None, None
        if isinstance(line, dict):
            source, targets = line.get("source"), line.get("targets", [line.get("target")])
        strings = isinstance(targets, list) and all(isinstance(target, str) for target in targets)
        if not isinstance(source, str) or not isinstance(targets, list) or not targets or not strings:
            where = f"{evaluation.file.name}:{number}"
            message = "the line has no source with a target, or targets"
            raise invalid(where, Code.MISSING, message, "give a JSON object with both")
        yield Pair.of(number, source, targets, evaluation.tokenised)


async def evaluate_corrections(
    evaluation: CorrectionsEvaluation, pairs: Sequence[Pair], engine: Engine
) -> dict[str, Any]:
    """Correct every text, as few requests as the limits allow, and report.

    Raises:
        ProblemError: a text cannot be read, or the output cannot be written.
    """
    most = engine.limits.max_texts
    corrections: list[Correction] = []
    started = time.perf_counter()
    for first in range(0, len(pairs), most):
        body = {
            "texts": [pair.text for pair in pairs[first : first + most]],
            "language": evaluation.language,
            "kinds": evaluation.kinds,
            # All edits are wanted, to count them by confidence.
            "confidence": 0,
            "alternatives": 0,
        }
        request = validated(CorrectionsRequest, body)
        corrections += (await Corrections().run(request, engine)).corrections
    seconds = time.perf_counter() - started
    with sink(evaluation.output) as file:
        if file:
            for pair, correction in zip(pairs, corrections, strict=True):
                print(json.dumps({"line": pair.line, **correction.model_dump()}, ensure_ascii=False), file=file)
    return {
        **summary(pairs, corrections, evaluation.confidence),
        **calibration(pairs, corrections),
        "texts_per_second": len(pairs) / seconds,
        **model_of(engine),
    }


def summary(pairs: Sequence[Pair], corrections: Sequence[Correction], confidence: float | None) -> dict[str, Any]:
    """Metrics of correction over sentences, span edits, characters where targets have the sources' length, and GLEU.

    Of sentences: a wrong one that became a target is a true positive, one that did not a false negative; any other
    that was changed is a false positive. Of characters the same.
    """
    tp = fp = fn = alarms = found = 0
    texts: list[str] = []
    for pair, correction in zip(pairs, corrections, strict=True):
        made = (e for e in correction.edits if e.confidence >= least_confidence(e.kind, confidence))
        text = pair.written(made)
        texts.append(text)
        changed, met = text != pair.source, text in pair.targets
        tp += met and not pair.right
        fn += not met and not pair.right
        fp += changed and not met
        alarms += changed and pair.right
        found += changed and not pair.right
    right = sum(pair.right for pair in pairs)
    report: dict[str, Any] = {
        "texts": len(pairs),
        "right": right,
        "confidence": confidence,
        "sentence": _scores(tp, fp, fn),
        "false_alarms": alarms / right if right else None,
        "wrong_ones_changed": found / (len(pairs) - right) if right < len(pairs) else None,
    }
    if all(pair.aligned and len(pair.targets) == 1 for pair in pairs):
        return {**report, "character": _characters(pairs, texts)}
    counts = total(best_counts(pair.source, text, pair.targets) for pair, text in zip(pairs, texts, strict=True))
    report["span"] = {"precision": counts.precision, "recall": counts.recall, "f0.5": counts.f}
    if any(" " in pair.source for pair in pairs):
        sources, targets = [pair.source for pair in pairs], [pair.targets for pair in pairs]
        report["gleu"] = {"source": gleu(sources, sources, targets), "corrected": gleu(sources, texts, targets)}
    return report


def _characters(pairs: Sequence[Pair], texts: Sequence[str]) -> dict[str, float]:
    tp = fp = fn = 0
    for pair, text in zip(pairs, texts, strict=True):
        for given, meant, written in zip(pair.source, pair.targets[0], text, strict=False):
            tp += given != meant == written
            fp += written not in (given, meant)
            fn += given != meant != written
    return _scores(tp, fp, fn)


def calibration(pairs: Sequence[Pair], corrections: Sequence[Correction]) -> dict[str, Any]:
    """How often edits are right by their confidence, and the expected calibration error."""
    edits = [
        (edit.confidence, pair.wants(edit))
        for pair, correction in zip(pairs, corrections, strict=True)
        for edit in correction.edits
    ]
    if not edits:
        return {"edits": 0, "calibration_error": None, "reliability": []}
    confidences, right = np.array(edits, dtype=np.float64).T
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    curve = [
        {
            "from": k / BINS,
            "edits": int((bins == k).sum()),
            "confidence": float(confidences[bins == k].mean()),
            "right": float(right[bins == k].mean()),
        }
        for k in range(BINS)
        if (bins == k).any()
    ]
    error = sum(each["edits"] * abs(each["confidence"] - each["right"]) for each in curve) / len(edits)
    return {"edits": len(edits), "calibration_error": float(error), "reliability": curve}


def _scores(tp: int, fp: int, fn: int) -> dict[str, float]:
    return {
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp else 0.0,
    }
