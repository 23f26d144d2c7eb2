"""Corrections of Chinese grammar: F0.5 of development texts, and the odds of single edits fitted to them.

``python -m benchmarks.corrections_grammar FILE RIGHT`` writes corrections_grammar_zh.json. FILE is JSON Lines of
``source`` and ``targets``; RIGHT is FCGEC's JSON, of which the right sentences are taken. Every figure is of texts that
the odds were not fitted to, a fifth of the texts of each at a time. ``fit`` as a third argument writes the odds that
are fitted to all of them into the service.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.evaluate.corrections import CorrectionsEvaluation, Pair, calibration, read_pairs, summary
from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.corrections.correct import CorrectionRun
from app.tasks.corrections.edit_odds import EDIT_KNOTS, TEXT_KNOTS, WEIGHTS, EditOdds, agreeing
from app.tasks.corrections.edits import Edit, applied
from app.tasks.corrections.kinds import least_confidence
from app.tasks.corrections.posterior import chosen
from app.tasks.corrections.registry import CORRECTED
from app.tasks.corrections.schemas import Correction, CorrectionsRequest, EditReport
from app.tasks.corrections.sources import sources_of
from benchmarks.additive import fitted
from benchmarks.machine import machine, write
from models.odds import Features, bends

CHINESE = CORRECTED["zh"]
KINDS = (*CHINESE.kinds[:3], *CHINESE.single)
AT_ONCE = 40
"""Texts that are read in one request."""
FOLDS = 5
RIDGE = 25.0
"""Of the weights, each feature in units of its standard deviation."""
CONFIDENCES = (None, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.65)
"""None for that of each kind."""


@dataclass(frozen=True)
class Read:
    """A text with all edits that may be made.

    Attributes:
        pair: the text.
        whole: edits of the lattices, with their confidence.
        single: single edits, with what is known of them.
        right: whether each of these is right.
    """

    pair: Pair
    whole: Sequence[tuple[Edit, float]]
    single: Sequence[tuple[Edit, Features]]
    right: Sequence[bool]

    def corrected(self, by: EditOdds) -> Correction:
        """With all edits that do not touch one another."""
        reports = [self._report(edit, its) for edit, its in agreeing(self.whole, self.single, lambda kind: 0.0, by)]
        return Correction(
            source=self.pair.text, target="", changed=bool(reports), edits=reports, alternatives=[], language="zh"
        )

    @property
    def pieces(self) -> list[Features]:
        """The features of each of the text's pieces that may be edited."""
        return [
            dict(its) for its in {tuple((name, each[name]) for name in TEXT_KNOTS): None for _, each in self.single}
        ]

    def _report(self, edit: Edit, confidence: float) -> EditReport:
        old = self.pair.text[edit.start : edit.end]
        return EditReport(start=edit.start, end=edit.end, old=old, new=edit.new, kind=edit.kind, confidence=confidence)


async def read(engine: Engine, pairs: Sequence[Pair]) -> tuple[list[Read], dict[str, float]]:
    """The texts read, and how fast."""
    found: list[Read] = []
    tokens, started, cpu = 0, time.perf_counter(), time.process_time()
    for first in range(0, len(pairs), AT_ONCE):
        some = pairs[first : first + AT_ONCE]
        request = CorrectionsRequest(texts=[pair.text for pair in some], language="zh", kinds=list(KINDS))
        run = CorrectionRun(request, sources_of(request, engine.model, engine.limits), engine)
        of_text: dict[int, Read] = {}
        async for source, pieces in run.readings():
            pair = some[source.number]
            whole = [
                (_moved(edit, piece.start), its)
                for piece in pieces
                for edit, its in chosen(piece.variants, CHINESE.calibration)
            ]
            single = [(_moved(edit, piece.start), its) for piece in pieces for edit, its in piece.single]
            right = [_wanted(pair, edit) for edit, _ in single]
            of_text[source.number] = Read(pair, whole, single, right)
        found += [of_text[number] for number in range(len(some))]
        tokens += run.usage.lm_tokens
        print(f"{len(found)} of {len(pairs)} texts", file=sys.stderr, flush=True)
    return found, {
        "texts_per_second": len(pairs) / (time.perf_counter() - started),
        "cpu_seconds_per_text": (time.process_time() - cpu) / len(pairs),
        "lm_tokens_per_text": tokens / len(pairs),
    }


def _moved(edit: Edit, by: int) -> Edit:
    return Edit(edit.start + by, edit.end + by, edit.new, edit.kind)


def _wanted(pair: Pair, edit: Edit) -> bool:
    report = EditReport(
        start=edit.start, end=edit.end, old=pair.text[edit.start : edit.end], new=edit.new, kind=edit.kind, confidence=0
    )
    return not pair.right and pair.wants(report)


def fitted_to(texts: Sequence[Read]) -> EditOdds:
    """The odds that make errors in texts likeliest, and the rightness of single edits of those that have one."""
    wrong = [text for text in texts if not text.pair.right]
    rows = [features for text in wrong for _, features in text.single]
    terms = {name for features in rows for name in features}.difference(TEXT_KNOTS).union(bends(EDIT_KNOTS))
    edit = fitted(rows, [right for text in wrong for right in text.right], sorted(terms), RIDGE)
    pieces = [(each, not text.pair.right) for text in texts for each in text.pieces]
    terms = {*TEXT_KNOTS, *bends(TEXT_KNOTS)}
    return EditOdds(fitted([its for its, _ in pieces], [has for _, has in pieces], sorted(terms), RIDGE), edit)


def held_out(*parts: Sequence[Read]) -> list[list[Correction]]:
    """The texts of each part corrected by odds that were fitted to the other folds of all."""
    found: list[dict[int, Correction]] = [{} for _ in parts]
    for fold in range(FOLDS):
        by = fitted_to([text for texts in parts for number, text in enumerate(texts) if number % FOLDS != fold])
        for texts, corrections in zip(parts, found, strict=True):
            corrections.update((number, texts[number].corrected(by)) for number in range(fold, len(texts), FOLDS))
    return [[corrections[number] for number in range(len(corrections))] for corrections in found]


def figures(texts: Sequence[Read], corrections: Sequence[Correction]) -> dict[str, Any]:
    """Spans and texts touched by least confidence, and the calibration error."""
    pairs = [text.pair for text in texts]
    by_confidence = {}
    for least in CONFIDENCES:
        each = summary(pairs, corrections, least)
        names = ("span", "wrong_ones_changed", "false_alarms")
        by_confidence["default" if least is None else str(least)] = {name: each.get(name) for name in names}
    return {"texts": len(texts), "at_confidence": by_confidence, **calibration(pairs, corrections)}


def examples(texts: Sequence[Read], corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    """The first texts that are changed by default, with what they become."""
    found: list[dict[str, Any]] = []
    for text, correction in zip(texts, corrections, strict=True):
        made = [edit for edit in correction.edits if edit.confidence >= least_confidence(edit.kind, None)]
        if made:
            target = applied([(edit.start, edit.end, edit.new) for edit in made], text.pair.text)
            found.append({"source": text.pair.text, "target": target, "targets": text.pair.targets})
    return found[:20]


def right_pairs(file: Path) -> list[Pair]:
    """The right sentences of FCGEC's JSON."""
    items = json.loads(file.read_text("utf-8")).values()
    right = [item["sentence"] for item in items if not item["error_flag"]]
    return [Pair.of(number, sentence, [sentence]) for number, sentence in enumerate(right, 1)]


async def measure(file: Path, right: Path) -> tuple[list[list[Read]], dict[str, Any]]:
    """The texts of both files read, and what of the report is known of that."""
    evaluation = CorrectionsEvaluation(file, None, None, "zh", None)
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        model = {"model": engine.model.name, "precision": engine.model.precision}
        texts, speed = await read(engine, list(read_pairs(evaluation)))
        untouched, _ = await read(engine, right_pairs(right))
    return [texts, untouched], {**model, **speed}


def report(texts: Sequence[Read], untouched: Sequence[Read]) -> dict[str, Any]:
    """All figures."""
    corrections, alarms = held_out(texts, untouched)
    return {
        **figures(texts, corrections),
        "right_texts": figures(untouched, alarms),
        "examples": examples(texts, corrections),
    }


def main() -> None:
    """Write the report."""
    file, right, *fit = sys.argv[1:]
    on = machine()
    parts, known = asyncio.run(measure(Path(file), Path(right)))
    if fit == ["fit"]:
        fitted_to([text for texts in parts for text in texts]).write(WEIGHTS)
    path = Path(__file__).with_name("corrections_grammar_zh.json")
    write(path, {"machine": on, **known, **report(*parts)})


if __name__ == "__main__":
    main()
