"""Readings of passages made of the demo graph's facts: exact match and F1 beside a floor, abstaining, seconds.

``python -m benchmarks.readings [--adapter FOLDER] [--passages N] [--fit N] [--seconds S] [--output FILE]``

``--fit`` first fits the orders of spans and the confidence on so many passages of the development half and writes them
beside the adapter, where the service reads them; the figures are of the test half, of which nothing is
fitted or chosen: other facts, other sentences and other words of questions (:mod:`benchmarks.readings_passages`). After
``--seconds`` of each half the passages read by then are taken.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.settings.settings import Settings
from app.tasks.readings.checks import DEFAULT_BEAMS
from app.tasks.readings.forms import FORMS, form_of
from app.tasks.readings.read import HYPOTHESES
from app.tasks.readings.readers import SHIPPED_ADAPTER
from benchmarks.machine import machine, write
from benchmarks.readings_passages import Asked, made
from models.language.loading import causal_model, load, source_of
from models.language.scoring.scorer import CausalScorer
from models.retrieval.metrics import exact_match, f1
from models.retrieval.ranking.logit import Ranking
from models.retrieval.reading.baseline import baseline
from models.retrieval.reading.features import FEATURES as SEEN
from models.retrieval.reading.order import CONFIDENCE, FEATURES, FIRST, SECOND, SURENESS, ReadingOrder, sureness
from models.retrieval.reading.reader import Judged, Reader
from models.retrieval.reading.spans import spans_of
from models.retrieval.search.confidence import Confidence

REFUSED = 0.1
"""Share of answerable questions of the development half for which `no_answer` may be said."""

RIDGE = 3.0
"""Of the second order; chosen on relations of the development half that it was not fitted on."""

FOLDS = 4
"""Parts of the relations, each left out in turn."""

FIRST_PASSAGES = 300
"""Passages that the order without a model is fitted on."""

Readers = Mapping[str, Reader]


class Seen(NamedTuple):
    """A question with what the beam found for it."""

    asked: Asked
    judged: Judged

    @property
    def texts(self) -> list[str]:
        """Of the candidates, in the model's own order."""
        return [self.asked.passage[a:b] for a, b in self.judged.places]

    @property
    def right(self) -> int | None:
        """The number of the candidate that is the answer; None if none is."""
        return self.texts.index(self.asked.answer) if self.asked.answer in self.texts else None


def seen(groups: Sequence[Sequence[Asked]], readers: Readers, first: Ranking, seconds: float) -> list[Seen]:
    """The candidates for the questions of each passage, as many as there is time for."""
    result: list[Seen] = []
    began = time.perf_counter()
    for number, group in enumerate(groups):
        if time.perf_counter() - began > seconds:
            break
        reader, passage = readers[group[0].language], group[0].passage
        index = reader.index(passage, spans_of(passage))
        questions = [asked.question for asked in group]
        for done in reader.judged(index, questions, DEFAULT_BEAMS, HYPOTHESES // DEFAULT_BEAMS, first):
            result += [Seen(group[i], judged) for i, judged in done.items()]
        print(f"{number + 1} of {len(groups)} passages, {len(result)} questions", flush=True)
    return result


def fit_first(readers: Readers) -> Ranking:
    """The order that asks no model, fitted on other passages of the development half."""
    examples = []
    for group in made("dev", FIRST_PASSAGES, seed=1):
        passage = group[0].passage
        spans = list(spans_of(passage))
        texts = [passage[a:b] for a, b in spans]
        for asked in group:
            if asked.answer in texts:
                sight = readers[asked.language].sight(passage, asked.question)
                place = sight.place([span for span, text in zip(spans, texts, strict=True) if text == asked.answer])
                examples.append((sight.columns(spans), spans.index(place)))
    return Ranking.fit(examples, SEEN)


def fit(found: Sequence[Seen], first: Ranking, folder: Path) -> dict[str, Any]:
    """Fit the second order and the confidence, and keep all three; how well they fit.

    The confidence sees of each question what an order says that was fitted without its relation.
    """
    relations = sorted({one.asked.relation for one in found})
    fold = [relations.index(one.asked.relation) % FOLDS for one in found]
    without = [ranked([one for one, its in zip(found, fold, strict=True) if its != k]) for k in range(FOLDS)]
    second = ranked(found)
    rows = [surely(one, without[k]) for one, k in zip(found, fold, strict=True)]
    right = np.array([best(one, without[k]) == one.right for one, k in zip(found, fold, strict=True)])
    present = np.array([one.asked.answer is not None for one in found])
    confidence = Confidence.fit(np.concatenate(rows), right, present, REFUSED, SURENESS)
    first.save(folder / FIRST)
    second.save(folder / SECOND)
    confidence.save(folder / CONFIDENCE)
    return {
        "questions": len(found),
        "unanswerable": int((~present).sum()),
        "right": percent(np.array([best(one, second) == one.right for one in found])[present]),
        "right_without_its_relation": percent(right[present]),
        "among_candidates": percent([one.right is not None for one in found if one.asked.answer is not None]),
        "first": dict(zip(SEEN, np.round(first.weights, 3).tolist(), strict=True)),
        "second": dict(zip(FEATURES, np.round(second.weights, 3).tolist(), strict=True)),
    }


def ranked(found: Sequence[Seen]) -> Ranking:
    """The second order, fitted on some questions."""
    return Ranking.fit([(one.judged.columns, one.right) for one in found], FEATURES, RIDGE)


def best(one: Seen, ranking: Ranking) -> int:
    """The number of the candidate that an order puts first."""
    return int(np.argmax(ranking.log_probs(one.judged.columns)))


def surely(one: Seen, ranking: Ranking) -> Any:
    """Features of the confidence in it."""
    judged = one.judged
    return sureness(judged.sight, judged.places, judged.columns, ranking.log_probs(judged.columns), judged.none)


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


def figures(found: Sequence[Seen], order: ReadingOrder) -> dict[str, Any]:
    """Of the fitted order, of that without a model, of the model's own, and of the floor."""
    questions = [one.asked for one in found]
    fitted = [one.texts[best(one, order.second)] for one in found]
    sure = [float(order.confidence.of(surely(one, order.second))[0]) for one in found]
    withheld = np.array(sure) < order.confidence.threshold
    present = np.array([asked.answer is not None for asked in questions])
    floor = [baseline(one.judged.sight) for one in found]
    own = [next(each for each in one.judged.answer.found if each.number in one.judged.numbers) for one in found]
    wrong = [one for one, text in zip(found, fitted, strict=True) if one.asked.answer not in (None, text)]
    return {
        "fitted": marks(questions, fitted),
        "first_order": marks(questions, [one.texts[0] for one in found]),
        "model": marks(
            questions, [one.texts[one.judged.numbers.index(its.number)] for one, its in zip(found, own, strict=True)]
        ),
        "floor": marks(questions, floor),
        "among_candidates": percent([one.right is not None for one in found if one.asked.answer is not None]),
        "no_answer": {
            "threshold": round(order.confidence.threshold, 3),
            "withheld_of_answerable": percent(withheld[present]),
            "answered_of_unanswerable": percent(~withheld[~present]),
            "unanswerable": int((~present).sum()),
            "answered_by_case": {
                case: percent([not flag for one, flag in zip(found, withheld, strict=True) if one.asked.case == case])
                for case in sorted({asked.case for asked in questions if asked.answer is None})
            },
        },
        "exact_by_case": {
            case: percent(
                [one.asked.answer == text for one, text in zip(found, fitted, strict=True) if one.asked.case == case]
            )
            for case in sorted({asked.case for asked in questions if asked.answer is not None})
        },
        "wrong_by_relation": dict(Counter(one.asked.relation for one in wrong).most_common()),
    }


def main() -> None:
    """Fit if asked to, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adapter", type=Path, default=SHIPPED_ADAPTER)
    parser.add_argument("--passages", type=int, default=40)
    parser.add_argument("--fit", type=int, metavar="PASSAGES")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--seed", type=int, default=0, help="of the passages that are measured on")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    arguments = parser.parse_args()
    settings = Settings()
    model = load(settings.model, cache=settings.cache_dir, progress=lambda what, share: None, masks=[])
    bare, source = model.scorer.forward, source_of(settings.model, settings.cache_dir, lambda what, share: None)
    scorer = CausalScorer(causal_model(source, bare.dtype, bare.device, arguments.adapter))
    forms = {code: form_of(code, adapted=True) for code in FORMS}
    readers = {code: Reader(lambda: scorer, model.tokenizer.backend, model.begin, form) for code, form in forms.items()}
    result: dict[str, Any] = {"machine": machine(), "model": model.name, "precision": model.precision}
    if arguments.fit:
        first = fit_first(readers)
        print("the first order is fitted", flush=True)
        found = seen(made("dev", arguments.fit), readers, first, arguments.seconds)
        result["fit"] = {"first_passages": FIRST_PASSAGES, **fit(found, first, arguments.adapter)}
        print(result["fit"], flush=True)
    order = ReadingOrder.of(arguments.adapter)
    began = time.perf_counter()
    found = seen(made("test", arguments.passages, arguments.seed), readers, order.first, arguments.seconds)
    result["seed"] = arguments.seed
    result["passages"] = len({one.asked.passage for one in found})
    result["seconds_a_question"] = round((time.perf_counter() - began) / len(found), 2)
    result |= figures(found, order)
    write(arguments.output, result)


if __name__ == "__main__":
    main()
