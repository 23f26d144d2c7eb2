"""Corrections of development texts: F1, false alarms, speed, and a calibration fitted to every other text.

``python -m benchmarks.corrections FILE...``: JSON Lines with ``source`` and ``target``. The calibration is fitted to
the first, third, ... text of each file, all together; every figure is of the others.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.evaluate.corrections import CorrectionsEvaluation, Pair, calibration, read_pairs, summary
from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.corrections.correct import CorrectionRun, sources_of
from app.tasks.corrections.posterior import CALIBRATION, Calibration, Edit, Features, features
from app.tasks.corrections.schemas import CONFIDENCE, Correction, CorrectionsRequest, EditReport
from benchmarks.machine import machine, write

KINDS = ("near_homophone", "lookalike")
RIDGE = 1.0


@dataclass(frozen=True)
class Read:
    """A text with the edits of its likeliest reading."""

    pair: Pair
    edits: list[tuple[Edit, Features]]

    def corrected(self, by: Calibration) -> Correction:
        """With the confidences of a calibration."""
        source = self.pair.source
        reports = [
            EditReport(
                start=edit.start,
                end=edit.end,
                old=source[edit.start : edit.end],
                new=edit.new,
                kind=edit.kind,
                confidence=by.confidence(each, edit.kind),
            )
            for edit, each in self.edits
        ]
        return Correction(
            source=source, target="", changed=bool(reports), edits=reports, alternatives=[], language="zh"
        )


async def read(engine: Engine, pairs: list[Pair]) -> tuple[list[Read], dict[str, float]]:
    """The texts read, and how long it took."""
    request = CorrectionsRequest(texts=[pair.source for pair in pairs], language="zh")
    run = CorrectionRun(request, sources_of(request, engine.model, engine.limits), engine)
    started = time.perf_counter()
    found: dict[int, Read] = {}
    async for source, pieces in run.readings():
        edits = [
            (Edit(start + edit.start, start + edit.end, edit.new, edit.kind), each)
            for start, variants in pieces
            for edit, each in features(variants)
        ]
        found[source.number] = Read(pairs[source.number], edits)
    speed = {
        "texts_per_second": len(pairs) / (time.perf_counter() - started),
        "lm_tokens_per_text": run.usage.lm_tokens / len(pairs),
    }
    return [found[number] for number in range(len(pairs))], speed


def fitted(texts: list[Read]) -> Calibration:
    """The calibration that makes the edits' rightness likeliest, by Newton's method."""
    rows, right = [], []
    for text in texts:
        for edit, each in text.edits:
            rows.append([1.0, each.odds, each.text, each.length, *(edit.kind == kind for kind in KINDS)])
            right.append(text.pair.target[edit.start : edit.end] == edit.new)
    x, y = np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64)
    ridge = RIDGE * np.diag([0.0, *[1.0] * (x.shape[1] - 1)])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        weights += np.linalg.solve((x.T * (p * (1 - p))) @ x + ridge, x.T @ (y - p) - ridge @ weights)
    constant, odds, of_text, of_length, *kinds = weights.tolist()
    return Calibration(constant, odds, of_text, of_length, dict(zip(KINDS, kinds, strict=True)))  # type: ignore[arg-type]


async def measure(files: list[Path]) -> dict[str, Any]:
    """The report."""
    texts: dict[str, list[Read]] = {}
    speeds: dict[str, dict[str, float]] = {}
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        for file in files:
            pairs = list(read_pairs(CorrectionsEvaluation(file, None, CONFIDENCE, "zh", None)))
            texts[file.stem], speeds[file.stem] = await read(engine, pairs)
        model = {"model": engine.model.name, "precision": engine.model.precision}
    own = fitted([text for of_file in texts.values() for text in of_file[::2]])
    report: dict[str, Any] = {"fitted": vars_of(own), "in_use": vars_of(CALIBRATION), **model, "files": {}}
    for name, of_file in texts.items():
        report["files"][name] = {**figures(of_file[1::2], own), **speeds[name]}
    report["together"] = figures([text for of_file in texts.values() for text in of_file[1::2]], own)
    return report


def figures(texts: list[Read], by: Calibration) -> dict[str, Any]:
    """Metrics at the default confidence and at others, and the calibration error."""
    pairs, corrections = [text.pair for text in texts], [text.corrected(by) for text in texts]
    others = {}
    for confidence in (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        each = summary(pairs, corrections, confidence)
        others[str(confidence)] = {"f1": each["sentence"]["f1"], "false_alarms": each["false_alarms"]}
    return {**summary(pairs, corrections, CONFIDENCE), **calibration(pairs, corrections), "at_confidence": others}


def vars_of(calibration: Calibration) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "constant": calibration.constant,
        "odds": calibration.odds,
        "text": calibration.text,
        "length": calibration.length,
        "kinds": dict(calibration.kinds),
    }


def main() -> None:
    """Write corrections.json."""
    on = machine()
    report = asyncio.run(measure([Path(name) for name in sys.argv[1:]]))
    write(Path(__file__).with_name("corrections.json"), {"machine": on, **report})


if __name__ == "__main__":
    main()
