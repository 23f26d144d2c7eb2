"""Calibration: ranking and confidence fitted on questions, some after the index has lost their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from models.retrieval.examples import Example
from models.retrieval.index.overlay import OverlayView
from models.retrieval.metrics import exact_match
from models.retrieval.misspelt import MIN_LETTERS, misspell
from models.retrieval.ranking.logit import Ranking
from models.retrieval.ranking.noisy_channel import FEATURES as CHANNEL_FEATURES
from models.retrieval.ranking.noisy_channel import NoisyChannel, QuestionLikelihood, doubtful, with_question
from models.retrieval.search.confidence import Confidence
from models.retrieval.search.confidence_features import confidence_features
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.rerank import columns, rerank, rerank_by_channel
from models.retrieval.search.search import search
from models.retrieval.subtree import below, nodes_of
from models.retrieval.writers.base import KeyModel

QUESTIONS_TOGETHER = 16
"""Questions of one search."""
ALL_CANDIDATES = 1000
"""More candidates than a question ever has."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The models fitted, and shares of the questions of the fit."""

    ranking: Ranking  # of candidates
    noisy_channel: Ranking | None  # of those in doubt; None without a model of questions
    confidence: Confidence  # of the best one
    right: float  # questions whose best key is right
    reachable: float  # questions that have the right key among their candidates
    refused: float  # answerable questions that go without an answer
    withheld: float  # unanswerable questions that do


def calibrate(
    model: KeyModel,
    index: OverlayView,
    examples: Sequence[Example],
    options: SearchOptions,
    refused: float = 0.05,
    on_done: Callable[[int], None] = lambda count: None,
    likelihood: QuestionLikelihood | None = None,
) -> Calibration:
    """Fit ranking and noisy channel on all questions, and the confidence on half of them against the other half.

    The names of the second half's facts are taken out of the index (in memory) before these
    questions are asked again: they become questions without an answer. For the ranking, every fourth
    question is asked with its name misspelt as well.

    Args:
        model: of the keys.
        index: of triples; holds the facts of the examples.
        examples: questions that the model was not trained on.
        options: of the search that is calibrated; its n and ranking do not matter.
        refused: share of answerable questions that may go without an answer.
        on_done: called with the number of searches done, of :func:`searches`.
        likelihood: of questions, for a noisy channel; None for none.

    Raises:
        ValueError: too few questions to fit anything.
    """
    options = replace(options, n=ALL_CANDIDATES, ranking=Ranking.of_model())
    asked = [*examples, *misspelt(examples)]
    answers = _answers(model, index, asked, options, on_done)
    candidates = [_candidates(model, e, answer) for e, answer in zip(asked, answers, strict=True)]
    ranking = Ranking.fit(candidates)
    ordered = [rerank(ranking, model.codec, e.question, a) for e, a in zip(asked, answers, strict=True)]
    channel = None if likelihood is None else _noisy_channel(model, asked, ordered, likelihood)
    if channel is not None:
        ordered = [rerank_by_channel(channel, model.codec, e.question, a) for e, a in zip(asked, ordered, strict=True)]
    candidates, ordered, done = candidates[: len(examples)], ordered[: len(examples)], len(asked)
    right = [is_right(model, e, a) for e, a in zip(examples, ordered, strict=True)]

    present, absent = range(0, len(examples), 2), [examples[i] for i in range(1, len(examples), 2)]
    lacking = without(index, model, {example.fact.name for example in absent})
    options = replace(options, ranking=ranking, noisy_channel=channel)
    others = _answers(model, lacking, absent, options, lambda count: on_done(done + count))
    questions = [*(examples[i].question for i in present), *(example.question for example in absent)]
    x = confidence_features(model, questions, [*(ordered[i] for i in present), *others])
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


def _answers(
    model: KeyModel,
    index: OverlayView,
    examples: Sequence[Example],
    options: SearchOptions,
    on_done: Callable[[int], None],
) -> list[Answer]:
    answers: list[Answer] = []
    for at in range(0, len(examples), QUESTIONS_TOGETHER):
        answers += search(index, model, [e.question for e in examples[at : at + QUESTIONS_TOGETHER]], options)
        on_done(len(answers))
    return answers


def searches(examples: Sequence[Example]) -> int:
    """Number of questions that a calibration asks."""
    return len(examples) + len(misspelt(examples)) + len(examples) // 2


def misspelt(examples: Sequence[Example]) -> list[Example]:
    """Every fourth example, if its name stands in the question and is long enough, with one error in it."""
    rng = np.random.default_rng(0)
    letters = sorted({letter for example in examples for letter in example.fact.name})
    return [
        replace(one, question=one.question.replace(one.fact.name, misspell(one.fact.name, letters, rng)))
        for one in examples[::4]
        if len(one.fact.name) >= MIN_LETTERS and one.fact.name in one.question
    ]


def without(index: OverlayView, model: KeyModel, names: set[str]) -> OverlayView:
    """The index without the keys of some subjects."""
    begun = [(*model.codec.encode(name), model.codec.separator) for name in sorted(names)]

    def gone() -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
        for start, node in zip(begun, nodes_of(index, begun), strict=True):
            if node is not None:
                yield from (((*start, *rest), ()) for rest in below(index, [node], len(index))[0])

    return index.with_changes(gone())


def _noisy_channel(
    model: KeyModel, asked: Sequence[Example], ordered: Sequence[Answer], likelihood: QuestionLikelihood
) -> NoisyChannel:
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
    return NoisyChannel(remembered, Ranking.fit(questions, CHANNEL_FEATURES))


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
