"""Naturalness: how well odds fitted to readers' marks tell sentences that read natural, and the odds themselves.

``python -m benchmarks.naturalness`` writes naturalness.json from naturalness_marks.jsonl, each line with the
``language``, the keyword ``set`` that a sentence is of, its ``text`` and a reader's ``mark``: ``+`` natural, ``~`` with
a small flaw, ``-`` otherwise. Every figure is of keyword sets that the odds were not fitted to. ``fit`` as an argument
writes the odds that are fitted to all of them into the service.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from app.engine.engine import Engine, open_engine
from app.engine.session import open_session
from app.languages import registry
from app.languages.base import Language
from app.languages.registry import LANGUAGES
from app.settings.settings import Settings
from app.tasks.sampling.naturalness import features_of
from app.tasks.sampling.objective import SEARCHED
from benchmarks.additive import fitted
from benchmarks.machine import machine, write
from models.language.vocabulary import SpellingError, Vocabulary
from models.odds import Features, Odds, ramps

MARKS = Path(__file__).with_name("naturalness_marks.jsonl")
ODDS = Path(registry.__file__).with_name("naturalness")
FOLDS, SHUFFLES = 5, 5
QUANTILES = (0.05, 0.35, 0.65, 0.95)
"""Of a feature's values, those where its function may bend."""
RIDGE = 300.0
BINS = 10
AT_ONCE = 64
ROOM = 80
"""Tokens of the longest sentence."""


@dataclass(frozen=True)
class Marked:
    """A sentence that a reader marked.

    Attributes:
        number: of its keyword set.
        natural: whether it was marked so.
        features: by which naturalness is told.
        others: other orders' measures, by name.
    """

    number: int
    natural: bool
    features: Features
    others: dict[str, float]


async def read(engine: Engine, lines: Sequence[dict[str, Any]], language: Language) -> list[Marked]:
    """The sentences of a language with their features."""
    name = language.masks[0].name
    vocabulary = await asyncio.to_thread(engine.model.vocabulary, name)
    spelled = [(line, tokens) for line in lines if (tokens := _tokens(vocabulary, line["text"])) is not None]
    sessions = [await open_session(engine, name, context, ROOM) for context in (language.opening, "")]
    found = []
    for first in range(0, len(spelled), AT_ONCE):
        some = spelled[first : first + AT_ONCE]
        after, alone = [await each.score([tokens for _, tokens in some], [None] * len(some)) for each in sessions]
        for (line, _), one, other in zip(some, after, alone, strict=True):
            features = features_of(line["text"], one.log_probs, other.log_probs, language)
            others = {
                "log_density": SEARCHED.value(one.log_probs),
                "log_prob_per_token": float(one.log_probs.mean()),
            }
            found.append(Marked(line["set"], line["mark"] == "+", features, others))
    return found


def _tokens(vocabulary: Vocabulary, text: str) -> tuple[int, ...] | None:
    try:
        return tuple(vocabulary.sentence(text))
    except SpellingError:
        return None


def terms_of(marked: Sequence[Marked]) -> list[str]:
    """Terms that bend at quantiles of the features, and are constant beyond the outermost."""
    knots = {}
    for name in marked[0].features:
        found = np.quantile([each.features[name] for each in marked], QUANTILES)
        knots[name] = sorted({float(f"{knot:.3g}") for knot in found})
    return ramps(knots)


def fitted_to(marked: Sequence[Marked], terms: Sequence[str]) -> Odds:
    """The odds of being marked natural."""
    return fitted([each.features for each in marked], [each.natural for each in marked], terms, RIDGE)


def held_out(marked: Sequence[Marked], seed: int) -> npt.NDArray[np.float64]:
    """The probability of each by odds that were fitted to the sets of the other folds."""
    terms = terms_of(marked)
    numbers = sorted({each.number for each in marked})
    order = np.random.default_rng(seed).permutation(len(numbers))
    fold = {number: int(place) % FOLDS for number, place in zip(numbers, order, strict=True)}
    found = np.zeros(len(marked))
    for left_out in range(FOLDS):
        odds = fitted_to([each for each in marked if fold[each.number] != left_out], terms)
        for place, each in enumerate(marked):
            if fold[each.number] == left_out:
                found[place] = odds.probability(each.features)
    return found


def chosen(marked: Sequence[Marked], values: Sequence[float] | npt.NDArray[np.float64]) -> dict[str, float]:
    """How often the first of a set by a measure is natural, and pairs of a set stand in the right order."""
    first, pairs = [], []
    for _, group in groupby(sorted(range(len(marked)), key=lambda i: marked[i].number), lambda i: marked[i].number):
        places = list(group)
        first.append(marked[max(places, key=lambda i: values[i])].natural)
        natural = [values[i] for i in places if marked[i].natural]
        other = [values[i] for i in places if not marked[i].natural]
        if natural and other:
            pairs.append(fmean(a > b for a in natural for b in other))
    return {"first_natural": fmean(first), "pairs_in_order": fmean(pairs)}


def calibration_error(natural: Sequence[bool], values: npt.NDArray[np.float64]) -> float:
    """The expected calibration error of probabilities, in ten bins."""
    bins = np.minimum((values * BINS).astype(int), BINS - 1)
    marks = np.array(natural, dtype=np.float64)
    return float(sum((bins == k).mean() * abs((marks - values)[bins == k].mean()) for k in set(bins.tolist())))


def report(marked: Sequence[Marked]) -> dict[str, Any]:
    """All figures of a language."""
    runs = [held_out(marked, seed) for seed in range(SHUFFLES)]
    found = [chosen(marked, values) for values in runs]
    natural = [each.natural for each in marked]
    sets = {each.number for each in marked}
    return {
        "sentences": len(marked),
        "natural": fmean(natural),
        "sets": len(sets),
        "sets_with_a_natural_one": len({each.number for each in marked if each.natural}) / len(sets),
        "naturalness": {
            **{name: fmean(each[name] for each in found) for name in found[0]},
            "calibration_error": fmean(calibration_error(natural, values) for values in runs),
        },
        **{name: chosen(marked, [each.others[name] for each in marked]) for name in marked[0].others},
    }


async def measure() -> dict[str, list[Marked]]:
    """The marked sentences of each language, read."""
    lines = [json.loads(line) for line in MARKS.read_text("utf-8").splitlines()]
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        return {
            code: await read(engine, [line for line in lines if line["language"] == code], language)
            for code, language in LANGUAGES.items()
        }


def main() -> None:
    """Write the report, and the odds where they are asked for."""
    on = machine()
    marked = asyncio.run(measure())
    if sys.argv[1:] == ["fit"]:
        for code, its in marked.items():
            fitted_to(its, terms_of(its)).write(ODDS / f"{code}.json")
    write(
        Path(__file__).with_name("naturalness.json"),
        {"machine": on, **{code: report(its) for code, its in marked.items()}},
    )


if __name__ == "__main__":
    main()
