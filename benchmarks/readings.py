"""Readings of passages made of the demo graph's facts: exact match and F1 beside a floor, abstaining, seconds.

``python -m benchmarks.readings [--half HALF] [--passages N] [--seed N] [--adapter FOLDER] [--output FILE]``

The figures are of the test half, by which nothing is chosen: other facts, other sentences and other words of questions
(:mod:`benchmarks.readings_passages`); ``--half dev`` is for choosing.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.settings.settings import Settings
from app.tasks.readings.checks import DEFAULT_BEAMS
from app.tasks.readings.forms import FORMS, form_of
from app.tasks.readings.read import HYPOTHESES, LEAST_CONFIDENCE
from app.tasks.readings.readers import SHIPPED_ADAPTER
from benchmarks.machine import machine, write
from benchmarks.readings_passages import Asked, made
from models.language.loading import causal_model, load, source_of
from models.language.scoring.scorer import CausalScorer
from models.retrieval.metrics import exact_match, f1
from models.retrieval.reading.baseline import baseline
from models.retrieval.reading.reader import Reader
from models.retrieval.reading.spans import spans_of
from models.retrieval.search.options import SearchOptions

OPTIONS = SearchOptions(n=3, beams=DEFAULT_BEAMS)
"""As by default."""

Readers = Mapping[str, Reader]


class Seen(NamedTuple):
    """A question with what was found for it."""

    asked: Asked
    texts: Sequence[str]  # of the spans, best first
    confidence: float  # in the best
    floor: str | None  # the baseline's

    @property
    def best(self) -> str:
        """The answer, whether it is withheld or not."""
        return self.texts[0] if self.texts else ""

    @property
    def withheld(self) -> bool:
        """Whether `no_answer` is said."""
        return self.confidence < LEAST_CONFIDENCE


def seen(groups: Sequence[Sequence[Asked]], readers: Readers) -> list[Seen]:
    """The answers to the questions about each passage."""
    result: list[Seen] = []
    for number, group in enumerate(groups):
        reader, passage = readers[group[0].language], group[0].passage
        index = reader.index(passage, spans_of(passage))
        questions = [asked.question for asked in group]
        for done in reader.readings(index, questions, OPTIONS, HYPOTHESES // DEFAULT_BEAMS):
            for i, read in done.items():
                texts = [passage[a:b] for a, b in (span.place for span in read.spans)]
                sure = math.exp(read.spans[0].score) if read.spans else 0.0
                result.append(Seen(group[i], texts, sure, baseline(reader.sight(passage, questions[i]))))
        print(f"{number + 1} of {len(groups)} passages, {len(result)} questions", flush=True)
    return result


def percent(flags: Any) -> float:
    """Share of what is true, in percent."""
    return round(100 * float(np.mean(flags)), 1)


def marks(questions: Sequence[Asked], texts: Sequence[str | None]) -> dict[str, Any]:
    """EM and F1 in percent of all questions with an answer, and of each language."""
    pairs = [(asked, text or "") for asked, text in zip(questions, texts, strict=True) if asked.answer is not None]
    result: dict[str, Any] = {}
    for code in ("all", "zh", "en"):
        mine = [(asked.answer or "", text) for asked, text in pairs if code in ("all", asked.language)]
        result[code] = {
            "questions": len(mine),
            "em": percent([exact_match(*pair) for pair in mine]),
            "f1": percent([f1(*pair) for pair in mine]),
        }
    return result


def figures(found: Sequence[Seen]) -> dict[str, Any]:
    """Of what was found, and of the floor."""
    questions = [one.asked for one in found]
    told, untold = ([one for one in found if (one.asked.answer is None) is flag] for flag in (False, True))
    wrong = [one for one in told if one.asked.answer != one.best]
    return {
        "spans": marks(questions, [one.best for one in found]),
        "floor": marks(questions, [one.floor for one in found]),
        "among_three": percent([one.asked.answer in one.texts for one in told]),
        "exact_and_not_withheld": percent([one.asked.answer == one.best and not one.withheld for one in told]),
        "no_answer": {
            "withheld_of_answerable": percent([one.withheld for one in told]),
            "answered_of_unanswerable": percent([not one.withheld for one in untold]),
            "unanswerable": len(untold),
            "answered_by_case": {
                case: percent([not one.withheld for one in untold if one.asked.case == case])
                for case in sorted({one.asked.case for one in untold})
            },
        },
        "exact_by_case": {
            case: percent([one.asked.answer == one.best for one in told if one.asked.case == case])
            for case in sorted({one.asked.case for one in told})
        },
        "wrong_by_relation": dict(Counter(one.asked.relation for one in wrong).most_common()),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("dev", "test", "check"), default="test")
    parser.add_argument("--passages", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0, help="of the passages")
    parser.add_argument("--adapter", type=Path, default=SHIPPED_ADAPTER)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    settings = Settings()
    model = load(settings.model, cache=settings.cache_dir, progress=lambda what, share: None, masks=[])
    bare, source = model.scorer.forward, source_of(settings.model, settings.cache_dir, lambda what, share: None)
    scorer = CausalScorer(causal_model(source, bare.dtype, bare.device, arguments.adapter))
    readers = {
        code: Reader(lambda: scorer, model.tokenizer.backend, model.begin, form_of(code, adapted=True))
        for code in FORMS
    }
    result: dict[str, Any] = {"machine": machine(), "model": model.name, "precision": model.precision}
    began = time.perf_counter()
    found = seen(made(arguments.half, arguments.passages, arguments.seed), readers)
    result |= {"half": arguments.half, "seed": arguments.seed, "passages": arguments.passages}
    result["seconds_a_question"] = round((time.perf_counter() - began) / len(found), 2)
    write(arguments.output, result | figures(found))


if __name__ == "__main__":
    main()
