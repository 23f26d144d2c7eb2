"""Fit ranking and confidence on questions that an index can answer, some of them after it has lost their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.retrieval.examples import Example
from models.retrieval.index.overlay import OverlayView
from models.retrieval.metrics import exact_match
from models.retrieval.misspelt import SHORTEST
from models.retrieval.ranking.logit import Ranking
from models.retrieval.ranking.noisy_channel import FEATURES as CHANNEL
from models.retrieval.ranking.noisy_channel import Channel, QuestionLikelihood, doubtful, with_question
from models.retrieval.search.confidence import Confidence
from models.retrieval.search.confidence_features import evidence
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.rerank import asked_back, columns, reordered
from models.retrieval.search.search import search
from models.retrieval.subtree import below, nodes_of
from models.retrieval.training.misspelling import misspell
from models.retrieval.writers.base import KeyModel

TOGETHER = 16
"""Questions of one search."""
EVERY = 1000
"""More candidates than a question ever has."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, and how it does on the questions of the fit.

    Attributes:
        ranking: of candidates.
        channel: of those in doubt; None without a model of questions.
        confidence: of the best one.
        right: share of questions whose best key is right.
        reachable: share of questions that have the right key among their candidates.
        refused: share of answerable questions that go without an answer.
        withheld: share of unanswerable questions that do.
    """

    ranking: Ranking
    channel: Ranking | None
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
    likelihood: QuestionLikelihood | None = None,
) -> Calibration:
    """Fit ranking and channel on all questions, and the confidence on half of them against the other half.

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
        likelihood: of questions, for a channel; None for none.

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
    ordered = [reordered(ranking, model.codec, e.question, a) for e, a in zip(asked, answers, strict=True)]
    channel = None if likelihood is None else _channel(model, asked, ordered, likelihood)
    if channel is not None:
        ordered = [asked_back(channel, model.codec, e.question, a) for e, a in zip(asked, ordered, strict=True)]
    candidates, ordered, done = candidates[: len(examples)], ordered[: len(examples)], len(asked)
    right = [is_right(model, e, a) for e, a in zip(examples, ordered, strict=True)]

    present, absent = range(0, len(examples), 2), [examples[i] for i in range(1, len(examples), 2)]
    lacking = without(index, model, {example.fact.name for example in absent})
    others: list[Answer] = []
    for at in range(0, len(absent), TOGETHER):
        texts = [example.question for example in absent[at : at + TOGETHER]]
        others += search(lacking, model, texts, replace(options, n=EVERY, ranking=ranking, channel=channel))
        on_done(done + len(others))
    questions = [*(examples[i].question for i in present), *(example.question for example in absent)]
    x = evidence(model, questions, [*(ordered[i] for i in present), *others])
    is_present = np.arange(len(questions)) < len(present)
    y = np.array([*(right[i] for i in present), *(False for _ in absent)])
    confidence = Confidence.fit(x, y, is_present, refused)
    silent = confidence.of(x) < confidence.threshold
    return Calibration(
        ranking,
        None if channel is None else channel.ranking,
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


def _channel(
    model: KeyModel, asked: Sequence[Example], ordered: Sequence[Answer], likelihood: QuestionLikelihood
) -> Channel:
    """Fitted on the candidates that the ranking leaves in doubt."""
    remembered = Remembered(likelihood)
    questions: list[tuple[NDArray[np.float64], int | None]] = []
    for example, answer in zip(asked, ordered, strict=True):
        kept = doubtful(np.array([found.rank_score for found in answer.found]))
        if len(kept) > 1:
            keys = [model.codec.parts(found.tokens) for found in answer.found]
            x = columns(model.codec, example.question, answer.found)
            right = (k for k, i in enumerate(kept) if _is_key_of(model, example, answer.found[i]))
            questions.append((with_question(remembered, example.question, keys, x, kept), next(right, None)))
    return Channel(remembered, Ranking.fit(questions, CHANNEL))


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """A likelihood that is asked once for each question and its keys."""

    likelihood: QuestionLikelihood
    known: dict[object, NDArray[np.float64]] = field(default_factory=dict)

    def log_likelihoods(self, question: str, keys: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """See :class:`models.retrieval.ranking.noisy_channel.QuestionLikelihood`."""
        name = question, tuple(map(tuple, keys))
        if name not in self.known:
            self.known[name] = self.likelihood.log_likelihoods(question, keys)
        return self.known[name]


def is_right(model: KeyModel, example: Example, answer: Answer) -> bool:
    """Whether the best key is the example's."""
    return bool(answer.found) and _is_key_of(model, example, answer.found[0])


def _candidates(model: KeyModel, example: Example, answer: Answer) -> tuple[NDArray[np.float64], int | None]:
    right = (i for i, found in enumerate(answer.found) if _is_key_of(model, example, found))
    return columns(model.codec, example.question, answer.found), next(right, None)


def _is_key_of(model: KeyModel, example: Example, found: Found) -> bool:
    parts = model.codec.parts(found.tokens)
    return len(parts) == 3 and all(map(exact_match, example.fact.parts, parts))
