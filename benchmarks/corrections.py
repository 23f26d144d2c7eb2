"""Corrections of development texts: F, false alarms, speed, and a calibration fitted to every other text.

``python -m benchmarks.corrections NAME FILE...`` writes corrections_NAME.json: ``spelling_zh`` of Chinese texts, ``en``
of tokenised English ones (for Chinese grammar see benchmarks.corrections_grammar); JSON Lines with ``source`` and
``target`` or ``targets``. The calibration is fitted to the first, third, ... text of each file, all together; every
figure is of the others.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.evaluate.corrections import CorrectionsEvaluation, Pair, calibration, read_pairs, summary
from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.corrections.correct import CorrectionRun
from app.tasks.corrections.edits import Edit
from app.tasks.corrections.kinds import CONFIDENCE, Kind
from app.tasks.corrections.posterior import Calibration, Features, calibrated, features
from app.tasks.corrections.registry import CORRECTED
from app.tasks.corrections.schemas import Correction, CorrectionsRequest, EditReport
from app.tasks.corrections.sources import sources_of
from benchmarks.machine import machine, write

RIDGE = 1.0
MOST = 40
"""Texts that are read in one request."""


@dataclass(frozen=True)
class Measured:
    """What is measured.

    Attributes:
        language: of the texts.
        fitted: kinds whose calibration is fitted; the first of them has no constant of its own.
    """

    language: str
    fitted: Sequence[Kind]


MEASURED = {
    "spelling_zh": Measured("zh", ("homophone", "near_homophone", "lookalike")),
    "en": Measured("en", ("spelling", "inflection", "article", "preposition")),
}


@dataclass(frozen=True)
class Read:
    """A text with the edits of its likeliest reading."""

    pair: Pair
    edits: list[tuple[Edit, Features]]

    def corrected(self, by: Mapping[Kind, Calibration], language: str) -> Correction:
        """With the confidences of a calibration."""
        reports = list(self.reports(by))
        return Correction(
            source=self.pair.text, target="", changed=bool(reports), edits=reports, alternatives=[], language=language
        )

    def reports(self, by: Mapping[Kind, Calibration]) -> Iterator[EditReport]:
        """The edits."""
        for edit, each in self.edits:
            yield EditReport(
                start=edit.start,
                end=edit.end,
                old=self.pair.text[edit.start : edit.end],
                new=edit.new,
                kind=edit.kind,
                confidence=by[edit.kind].confidence(each),
            )


async def read(engine: Engine, pairs: list[Pair], measured: Measured) -> tuple[list[Read], dict[str, float]]:
    """The texts read, and how long it took."""
    found: list[Read] = []
    tokens, started = 0, time.perf_counter()
    for first in range(0, len(pairs), MOST):
        some = pairs[first : first + MOST]
        request = CorrectionsRequest(
            texts=[pair.text for pair in some], language=measured.language, kinds=list(measured.fitted)
        )
        run = CorrectionRun(request, sources_of(request, engine.model, engine.limits), engine)
        of_text: dict[int, list[tuple[Edit, Features]]] = {}
        async for source, pieces in run.readings():
            of_text[source.number] = [
                (Edit(piece.start + edit.start, piece.start + edit.end, edit.new, edit.kind), each)
                for piece in pieces
                for edit, each in features(piece.variants)
            ]
        found += [Read(pair, of_text[number]) for number, pair in enumerate(some)]
        tokens += run.usage.lm_tokens
        print(f"{len(found)} of {len(pairs)} texts", file=sys.stderr)
    speed = {
        "texts_per_second": len(pairs) / (time.perf_counter() - started),
        "lm_tokens_per_text": tokens / len(pairs),
    }
    return found, speed


def fitted(texts: Sequence[Read], kinds: Sequence[Kind]) -> Mapping[Kind, Calibration]:
    """The calibration of some kinds that makes the rightness of their edits likeliest, by Newton's method."""
    neutral = calibrated(
        Calibration(0.0, 0.0, 0.0, 0.0), dict.fromkeys([edit.kind for t in texts for edit, _ in t.edits], 0.0)
    )
    rows, right = [], []
    for text in texts:
        for (edit, each), report in zip(text.edits, text.reports(neutral), strict=True):
            if edit.kind in kinds:
                rows.append([1.0, each.odds, each.text, each.length, *(edit.kind == kind for kind in kinds[1:])])
                right.append(text.pair.wants(report))
    x, y = np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64)
    ridge = RIDGE * np.diag([0.0, *[1.0] * (x.shape[1] - 1)])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        weights += np.linalg.solve((x.T * (p * (1 - p))) @ x + ridge, x.T @ (y - p) - ridge @ weights)
    constant, odds, of_text, of_length, *of_kinds = weights.tolist()
    return calibrated(Calibration(constant, odds, of_text, of_length), dict(zip(kinds, [0.0, *of_kinds], strict=True)))


async def measure(measured: Measured, files: list[Path]) -> dict[str, Any]:
    """The report."""
    texts: dict[str, list[Read]] = {}
    speeds: dict[str, dict[str, float]] = {}
    tokenised = measured.language == "en"
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        for file in files:
            evaluation = CorrectionsEvaluation(file, None, CONFIDENCE, measured.language, None, tokenised=tokenised)
            texts[file.stem], speeds[file.stem] = await read(engine, list(read_pairs(evaluation)), measured)
        model = {"model": engine.model.name, "precision": engine.model.precision}
    fit = fitted([text for of_file in texts.values() for text in of_file[::2]], measured.fitted)
    own = {kind: fit.get(kind, known) for kind, known in CORRECTED[measured.language].calibration.items()}
    report: dict[str, Any] = {
        "fitted": {kind: asdict(each) for kind, each in fit.items()},
        **model,
        "files": {},
    }
    for name, of_file in texts.items():
        report["files"][name] = {**figures(of_file[1::2], own, measured), **speeds[name]}
    report["together"] = figures([text for of_file in texts.values() for text in of_file[1::2]], own, measured)
    return report


def figures(texts: Sequence[Read], by: Mapping[Kind, Calibration], measured: Measured) -> dict[str, Any]:
    """Metrics at the default confidence and at others, and the calibration error."""
    pairs, corrections = [text.pair for text in texts], [text.corrected(by, measured.language) for text in texts]
    others = {}
    for confidence in (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        each = summary(pairs, corrections, confidence)
        kept: dict[str, Any] = {name: each[name] for name in ("false_alarms", "span", "gleu") if name in each}
        others[str(confidence)] = {"f1": each["sentence"]["f1"], **kept}
    return {**summary(pairs, corrections, CONFIDENCE), **calibration(pairs, corrections), "at_confidence": others}


def main() -> None:
    """Write the report of one name."""
    name, *files = sys.argv[1:]
    on = machine()
    report = asyncio.run(measure(MEASURED[name], [Path(file) for file in files]))
    write(Path(__file__).with_name(f"corrections_{name}.json"), {"machine": on, **report})


if __name__ == "__main__":
    main()
