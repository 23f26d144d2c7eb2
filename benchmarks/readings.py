"""Readings of passages made of the demo graph's facts: exact match and F1 beside a floor, abstaining, seconds.

``python -m benchmarks.readings [--questions N] [--fit] [--output FILE]``

``--fit`` first fits the order of spans and the confidence on the development half and writes them where the service
reads them (models/retrieval/reading/fitted/); the figures are of the test half, of which nothing is fitted or chosen:
other facts, other sentences and other words of questions (:mod:`benchmarks.readings_passages`).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.readings.forms import form_of
from app.tasks.readings.readers import readers_of
from app.tasks.readings.schemas import ReadingReport, ReadingsRequest
from app.tasks.readings.task import Readings
from benchmarks.machine import machine, write
from benchmarks.readings_passages import Asked, made
from models.retrieval.metrics import exact_match, f1
from models.retrieval.ranking.logit import Ranking
from models.retrieval.reading.baseline import baseline
from models.retrieval.reading.features import FEATURES
from models.retrieval.reading.order import CONFIDENCE, FITTED, RANKING, SURENESS, sureness
from models.retrieval.reading.reader import Judged, Reader
from models.retrieval.reading.spans import spans_of
from models.retrieval.search.confidence import Confidence

REFUSED = 0.05
"""Share of answerable questions of the development half for which `no_answer` may be said."""
FITTED_ON = 600
"""Questions of the development half, one in five of them without an answer."""


def judged(asked: Asked, reader: Reader, beams: int) -> Judged:
    """What the beam finds for a question, with the features of an order."""
    index = reader.index(asked.passage, spans_of(asked.passage))
    for done in reader.judged(index, [asked.question], beams, 1):
        for one in done.values():
            return one
    raise AssertionError("a question is judged")


async def fit(engine: Engine, beams: int) -> dict[str, Any]:
    """Fit order and confidence on the development half; how well they fit."""
    readers, questions = readers_of(engine), made("dev", FITTED_ON)
    found = [
        await engine.batcher.call(partial(judged, asked, readers.of(asked.language), beams)) for asked in questions
    ]
    numbers = [_right(asked, one) for asked, one in zip(questions, found, strict=True)]
    ranking = Ranking.fit([(one.columns, right) for one, right in zip(found, numbers, strict=True)], FEATURES)
    rows, right = [], []
    for one, number in zip(found, numbers, strict=True):
        ranks = ranking.log_probs(one.columns)
        rows.append(sureness(one.sight, one.columns, ranks, one.question))
        right.append(int(np.argmax(ranks)) == number)
    present = np.array([asked.answer is not None for asked in questions])
    confidence = Confidence.fit(np.concatenate(rows), np.array(right), present, REFUSED, SURENESS)
    folder = FITTED / engine.model.name
    folder.mkdir(parents=True, exist_ok=True)
    ranking.save(folder / RANKING)
    confidence.save(folder / CONFIDENCE)
    readers.reload()
    return {
        "questions": len(questions),
        "right": round(100 * float(np.mean(np.array(right)[present])), 1),
        "in_beam": round(100 * float(np.mean([number is not None for number in numbers])) / present.mean(), 1),
        "weights": dict(zip(FEATURES, np.round(ranking.weights, 3).tolist(), strict=True)),
    }


def _right(asked: Asked, one: Judged) -> int | None:
    """The number of the candidate that is the answer; None if none is."""
    texts = [asked.passage[a:b] for a, b in one.places]
    return texts.index(asked.answer) if asked.answer in texts else None


async def answered(engine: Engine, questions: Sequence[Asked], **options: Any) -> list[ReadingReport]:
    """The service's answers, a request for each."""
    reports = []
    for asked in questions:
        request = ReadingsRequest(passage=asked.passage, question=asked.question, **options)
        reports += (await Readings().run(request, engine)).answers
    return reports


def marks(questions: Sequence[Asked], texts: Sequence[str | None]) -> dict[str, float]:
    """EM and F1 in percent, an answer left out counting as wrong."""
    pairs = [(asked.answer, text or "") for asked, text in zip(questions, texts, strict=True) if asked.answer]
    return {
        "em": round(100 * float(np.mean([exact_match(*pair) for pair in pairs])), 1),
        "f1": round(100 * float(np.mean([f1(*pair) for pair in pairs])), 1),
    }


def by_language(questions: Sequence[Asked], texts: Sequence[str | None]) -> dict[str, Any]:
    """Marks of all questions with an answer, and of each language."""
    result: dict[str, Any] = {"all": marks(questions, texts)}
    for code in ("zh", "en"):
        mine = [(asked, text) for asked, text in zip(questions, texts, strict=True) if asked.language == code]
        result[code] = marks(*zip(*mine, strict=True))
    return result


def abstaining(questions: Sequence[Asked], reports: Sequence[ReadingReport]) -> dict[str, Any]:
    """How often `no_answer` is said where there is an answer, and left out where there is none, in percent."""
    said = {True: [], False: []}  # type: dict[bool, list[bool]]
    for asked, report in zip(questions, reports, strict=True):
        said[asked.answer is not None].append(report.no_answer)
    return {
        "withheld_of_answerable": round(100 * float(np.mean(said[True])), 1),
        "answered_of_unanswerable": round(100 * float(1 - np.mean(said[False])), 1),
        "unanswerable": len(said[False]),
    }


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    result: dict[str, Any] = {"machine": machine()}
    async with open_engine(Settings(), lambda what, share: None) as engine:
        if arguments.fit:
            result["fit"] = await fit(engine, arguments.beams)
        questions = made("test", arguments.questions)
        result |= {"model": engine.model.name, "precision": engine.model.precision, "questions": len(questions)}
        floor = [baseline(each.passage, each.question, form_of(each.language).asking) for each in questions]
        result["floor"] = by_language(questions, floor)
        for name, options in (("fitted", {}), ("model", {"rerank": False}), ("exact", {"mode": "exact"})):
            began = time.perf_counter()
            reports = await answered(engine, questions, **options)
            seconds = time.perf_counter() - began
            texts = [report.spans[0].text if report.spans else None for report in reports]
            result[name] = {
                **by_language(questions, texts),
                "no_answer": abstaining(questions, reports),
                "seconds_a_question": round(seconds / len(questions), 2),
            }
            if name == "fitted":
                wrong = Counter(
                    asked.relation
                    for asked, text in zip(questions, texts, strict=True)
                    if asked.answer is not None and text != asked.answer
                )
                result[name]["wrong_by_relation"] = dict(wrong.most_common())
            print(name, result[name], flush=True)
    return result


def main() -> None:
    """Fit if asked to, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=250)
    parser.add_argument("--beams", type=int, default=8)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    write(arguments.output, asyncio.run(measure(arguments)))


if __name__ == "__main__":
    main()
