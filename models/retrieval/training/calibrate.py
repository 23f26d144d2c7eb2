"""Fit ranking and confidence on questions that an index can answer, some of them after it has lost their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.retrieval.confidence import Confidence
from models.retrieval.evidence import evidence
from models.retrieval.index.overlay import OverlayView
from models.retrieval.metrics import exact_match
from models.retrieval.misspelt import SHORTEST
from models.retrieval.model import KeyModel
from models.retrieval.ranking import Ranking, features
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.search import search
from models.retrieval.subtree import below, nodes_of
from models.retrieval.training.examples import Example
from models.retrieval.training.misspelling import misspell

TOGETHER = 16
"""Questions of one search."""
EVERY = 1000
"""More candidates than a question ever has."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and how it does on the questions of the fit.

    Attributes:
        ranking: of candidates.
        confidence: of the best one.
        right: share of questions whose best key is right.
        reachable: share of questions that have the right key among their candidates.
        refused: share of answerable questions that go without an answer.
        withheld: share of unanswerable questions that do.
    """

    ranking: Ranking
    confidence: Confidence
    right: float
    reachable: float
    refused: float
    withheld: float


def calibrate(
    model: KeyModel,
    index: OverlayView,
    examples: Sequence[Example],
    options: SearchOptions,
    refused: float = 0.05,
    on_done: Callable[[int], None] = lambda count: None,
) -> Calibration:
    """Fit the ranking on all questions, and the confidence on half of them against the other half.

    The names of the second half's facts are taken out of the index (in memory) before these
    questions are asked again: they become questions without an answer. For the ranking, every fourth
    question is asked with its name misspelt as well.

    Args:
        model: writes the keys.
        index: of triples; holds the facts of the examples.
        examples: questions that the model was not trained on.
        options: of the search that is calibrated; its n and ranking do not matter.
        refused: share of answerable questions that may go without an answer.
        on_done: told how many searches are done, of :func:`searches`.

    Raises:
        ValueError: too few questions to fit anything.
    """
    every = replace(options, n=EVERY, ranking=Ranking.of_model())
    answers: list[Answer] = []
    asked = [*examples, *misspelt(examples)]
    for at in range(0, len(asked), TOGETHER):
        answers += search(index, model, [e.question for e in asked[at : at + TOGETHER]], every)
        on_done(len(answers))
    candidates = [_candidates(model, e, answer) for e, answer in zip(asked, answers, strict=True)]
    ranking = Ranking.fit(candidates)
    candidates, answers, done = candidates[: len(examples)], answers[: len(examples)], len(asked)
    ordered = [reordered(ranking, model, e.question, a) for e, a in zip(examples, answers, strict=True)]
    right = [is_right(model, e, a) for e, a in zip(examples, ordered, strict=True)]

    present, absent = range(0, len(examples), 2), [examples[i] for i in range(1, len(examples), 2)]
    lacking = without(index, model, {example.fact.name for example in absent})
    others: list[Answer] = []
    for at in range(0, len(absent), TOGETHER):
        texts = [example.question for example in absent[at : at + TOGETHER]]
        others += search(lacking, model, texts, replace(options, n=EVERY, ranking=ranking))
        on_done(done + len(others))
    questions = [*(examples[i].question for i in present), *(example.question for example in absent)]
    x = evidence(model, questions, [*(ordered[i] for i in present), *others])
    is_present = np.arange(len(questions)) < len(present)
    y = np.array([*(right[i] for i in present), *(False for _ in absent)])
    confidence = Confidence.fit(x, y, is_present, refused)
    silent = confidence.of(x) < confidence.threshold
    return Calibration(
        ranking,
        confidence,
        right=float(np.mean(right)),
        reachable=float(np.mean([best is not None for _, best in candidates])),
        refused=float(silent[is_present].mean()),
        withheld=float(silent[~is_present].mean()),
    )


def searches(examples: Sequence[Example]) -> int:
    """How many questions a calibration asks."""
    return len(examples) + len(misspelt(examples)) + len(examples) // 2


def misspelt(examples: Sequence[Example]) -> list[Example]:
    """Every fourth example, if its name stands in the question and is long enough, with one error in it."""
    rng = np.random.default_rng(0)
    letters = sorted({letter for example in examples for letter in example.fact.name})
    return [
        replace(one, question=one.question.replace(one.fact.name, misspell(one.fact.name, letters, rng)))
        for one in examples[::4]
        if len(one.fact.name) >= SHORTEST and one.fact.name in one.question
    ]


def without(index: OverlayView, model: KeyModel, names: set[str]) -> OverlayView:
    """The index without the keys of some subjects."""
    begun = [(*model.codec.encode(name), model.codec.separator) for name in sorted(names)]

    def gone() -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
        for start, node in zip(begun, nodes_of(index, begun), strict=True):
            if node is not None:
                yield from (((*start, *rest), ()) for rest in below(index, node, len(index)))

    return index.with_changes(gone())


def reordered(ranking: Ranking, model: KeyModel, question: str, answer: Answer) -> Answer:
    """The same keys in the order of a ranking."""
    if not answer.found:
        return answer
    logs = ranking.log_probs(_features(model, question, answer.found))
    order = np.argsort(-logs, kind="stable")
    return replace(answer, found=tuple(replace(answer.found[i], rank_score=float(logs[i])) for i in order))


def is_right(model: KeyModel, example: Example, answer: Answer) -> bool:
    """Whether the best key is the example's."""
    return bool(answer.found) and _is_key_of(model, example, answer.found[0])


def _candidates(model: KeyModel, example: Example, answer: Answer) -> tuple[NDArray[np.float64], int | None]:
    right = (i for i, found in enumerate(answer.found) if _is_key_of(model, example, found))
    return _features(model, example.question, answer.found), next(right, None)


def _features(model: KeyModel, question: str, found: Sequence[Found]) -> NDArray[np.float64]:
    parts = [model.codec.parts(one.tokens) for one in found]
    return features(question, parts, [one.renormalised for one in found], [len(one.tokens) + 1 for one in found])


def _is_key_of(model: KeyModel, example: Example, found: Found) -> bool:
    parts = model.codec.parts(found.tokens)
    return len(parts) == 3 and all(map(exact_match, example.fact.parts, parts))
