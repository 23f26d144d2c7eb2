"""Corrects texts whose right form is known, and counts what was mended, missed and spoilt."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from app.cli.evaluate.lines import json_lines, sink
from app.engine.engine import Engine
from app.languages.choice import AskedLanguage
from app.tasks.corrections.edits import applied
from app.tasks.corrections.schemas import Correction, CorrectionsRequest
from app.tasks.corrections.task import Corrections
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from app.web.validation import faults_of

BINS = 10
"""Of the reliability curve."""


@dataclass(frozen=True, slots=True)
class CorrectionsEvaluation:
    """An evaluation to run.

    Attributes:
        file: JSON Lines with ``source`` and ``target``, of the same length.
        limit: only the first so many lines.
        confidence: least confidence of an edit that counts as made.
        language: code of a language, or auto.
        output: JSON Lines with each line's result.
        encoding: of the file; None for UTF-8.
    """

    file: Path
    limit: int | None
    confidence: float
    language: AskedLanguage
    output: Path | None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and its right form."""

    line: int
    source: str
    target: str


def read_pairs(evaluation: CorrectionsEvaluation) -> Iterator[Pair]:
    """The texts of the file.

    Raises:
        ProblemError: a line is not what it should be.
        TextFileError: the file cannot be read.
    """
    for number, line in json_lines(evaluation.file, evaluation.encoding)[: evaluation.limit]:
        texts = [line.get(name) if isinstance(line, dict) else None for name in ("source", "target")]
        source, target = texts
        if not isinstance(source, str) or not isinstance(target, str) or len(source) != len(target):
            where = f"{evaluation.file.name}:{number}"
            message = "the line has no source and target of the same length"
            raise invalid(where, Code.MISSING, message, "give a JSON object with both")
        yield Pair(number, source, target)


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
        texts = [pair.source for pair in pairs[first : first + most]]
        try:
            # All edits are wanted, to count them by confidence.
            request = CorrectionsRequest(texts=texts, language=evaluation.language, confidence=0, alternatives=0)
        except ValidationError as error:
            raise ProblemError(422, faults_of(error.errors())) from None
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
        "model": engine.model.name,
        "fingerprint": engine.model.fingerprint,
        "precision": engine.model.precision,
        "device": engine.model.device,
    }


def summary(pairs: Sequence[Pair], corrections: Sequence[Correction], confidence: float) -> dict[str, Any]:
    """Metrics of spelling correction over sentences and characters.

    Of sentences: a wrong one that became its target is a true positive, one that did not a false negative; any other
    that was changed is a false positive. Of characters the same.
    """
    tp = fp = fn = alarms = found = 0
    character_tp = character_fp = character_fn = 0
    for pair, correction in zip(pairs, corrections, strict=True):
        made = [(e.start, e.end, e.new) for e in correction.edits if e.confidence >= confidence]
        text = applied(made, pair.source)
        wrong = pair.source != pair.target
        tp += wrong and text == pair.target
        fn += wrong and text != pair.target
        fp += text not in (pair.source, pair.target)
        alarms += not wrong and text != pair.source
        found += wrong and text != pair.source
        for given, meant, written in zip(pair.source, pair.target, text, strict=False):
            character_tp += given != meant == written
            character_fp += written not in (given, meant)
            character_fn += given != meant != written
    right = sum(pair.source == pair.target for pair in pairs)
    return {
        "texts": len(pairs),
        "right": right,
        "confidence": confidence,
        "sentence": _scores(tp, fp, fn),
        "character": _scores(character_tp, character_fp, character_fn),
        "false_alarms": alarms / right if right else None,
        "wrong_ones_changed": found / (len(pairs) - right) if right < len(pairs) else None,
    }


def calibration(pairs: Sequence[Pair], corrections: Sequence[Correction]) -> dict[str, Any]:
    """How often edits are right by their confidence, and the expected calibration error."""
    edits = [
        (edit.confidence, pair.target[edit.start : edit.end] == edit.new)
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
