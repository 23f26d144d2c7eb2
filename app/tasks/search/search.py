"""Runs searches: from questions to keys with their values, a forward at a time."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from app.engine.admission import Admission
from app.indexes.opened import Retrieval, SearchReport
from app.indexes.reports import model_report
from app.indexes.rounds import HYPOTHESES
from app.indexes.rounds import Round as ModelRound
from app.tasks.search.checks import check, check_tokens
from app.tasks.search.explanation import explained
from app.tasks.search.schemas import (
    Answered,
    Neighbour,
    QueryAnswer,
    Result,
    SearchAnswer,
    SearchRequest,
    SearchUsage,
)
from models.retrieval.index.key_format import join_entity
from models.retrieval.index.overlay import OverlayView
from models.retrieval.loading import LoadedKeyModel
from models.retrieval.search.confidence import Confidence
from models.retrieval.search.confidence_features import confidence_features
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.search import rounds

log = structlog.get_logger()

EXACT_WIDTH = 4
"""Hypotheses of a question in one forward of exact mode."""

NEIGHBOURS = 5
"""Candidates that lost and are told of at most."""

LEAST_CONFIDENCE = 0.5
"""Least confidence of an answer by a model that is not calibrated: below, the key is more likely another."""


Round = dict[int, tuple[Answer, float | None]]
"""Answers that a round completed, each with the calibrated confidence of its best key, if the model has it."""


@dataclass(eq=False)
class SearchRun:
    """A search that has its turn, its index and its model.

    Attributes:
        request: what was asked.
        name: of the index.
        view: the index as it was when the search began; later changes are not seen.
        model: that writes keys.
        retrieval: of the process.
        done: answers so far, by the number of their question.
        expansions, rounds: see :class:`app.tasks.search.schemas.SearchUsage`.
        seconds: time so far.
    """

    request: SearchRequest
    name: str
    view: OverlayView
    model: LoadedKeyModel
    retrieval: Retrieval
    done: dict[int, QueryAnswer] = field(default_factory=dict)
    expansions: int = 0
    rounds: int = 0
    seconds: float = 0.0

    @property
    def options(self) -> SearchOptions:
        """Options of the search itself."""
        triples = self.view.base.key_format.fields > 1
        return options_of(self.request, self.model, triples=triples)

    @property
    def confidence(self) -> Confidence | None:
        """Fitted confidence, if answers are ranked as they were for the fit."""
        return self.model.confidence if self.options.ranking is self.model.ranking else None

    async def answers(self) -> AsyncGenerator[Answered]:
        """Each answer when it is found, in whatever order; closing the iterator stops the search."""
        began = time.perf_counter()
        questions, options = self.request.questions, self.options
        width = EXACT_WIDTH if options.mode == "exact" else options.beams
        going = judged(
            self.confidence,
            self.model,
            questions,
            rounds(self.view, self.model.model, questions, options, max(1, HYPOTHESES // width)),
        )
        try:
            while (found := await self.retrieval.batcher.submit(ModelRound(going))) is not None:
                self.rounds += 1
                for number, (answer, confidence) in found.items():
                    self.expansions += answer.expansions
                    self.done[number] = self._answer(questions[number], answer, confidence)
                    yield Answered(number=number, **self.done[number].model_dump())
                self.seconds = time.perf_counter() - began
        finally:
            self.seconds = time.perf_counter() - began
            if self.retrieval.on_search is not None:
                self.retrieval.on_search(SearchReport(len(self.done), self.seconds))
            log.info(
                "searched" if len(self.done) == len(questions) else "search stopped",
                index=self.name,
                questions=len(self.done),
                of=len(questions),
                expansions=self.expansions,
                seconds=round(self.seconds, 3),
            )

    def answer(self) -> SearchAnswer:
        """All answers and what they cost."""
        return SearchAnswer(
            index=self.name,
            ranking="model" if self.options.ranking is None else "fitted",
            answers=[self.done[number] for number in range(len(self.request.questions))],
            usage=SearchUsage(
                questions=len(self.done), expansions=self.expansions, rounds=self.rounds, seconds=self.seconds
            ),
            model=model_report(self.model),
        )

    def _answer(self, question: str, answer: Answer, confidence: float | None) -> QueryAnswer:
        n = self.request.n
        results = [self._result(question, found) for found in answer.found[:n]]
        if results and confidence is not None:
            results[0].confidence = confidence
        fitted = self.confidence
        sure = bool(results) and results[0].confidence >= (LEAST_CONFIDENCE if fitted is None else fitted.threshold)
        return QueryAnswer(
            query=question,
            results=results,
            proven=answer.proven,
            no_answer=self.request.abstain and not sure,
            neighbours=self._neighbours(answer.found[n:] + answer.others) if self.request.explain else None,
        )

    def _neighbours(self, lost: Sequence[Found]) -> list[Neighbour]:
        return [
            Neighbour(
                text=text_of(self.retrieval.library.texts(self.view, found.tokens)),
                score=found.rank_score,
                renormalised=found.renormalised,
                source=found.explanation.source,
            )
            for found in lost[:NEIGHBOURS]
            if found.explanation is not None
        ]

    def _result(self, question: str, found: Found) -> Result:
        library, why = self.retrieval.library, found.explanation
        key = library.texts(self.view, found.tokens)
        return Result(
            key=key,
            text=text_of(key),
            values=self.view.values(found.number),
            score=found.rank_score,
            renormalised=found.renormalised,
            raw=found.raw,
            confidence=min(1.0, math.exp(found.renormalised if self.options.ranking is None else found.rank_score)),
            explanation=None if why is None else explained(why, question, key, library.tokenizer),
        )


def text_of(key: dict[str, str]) -> str:
    """A key in one line."""
    if "key" in key:
        return key["key"]
    return f"{join_entity(key['subject'], key.get('meaning', ''))} {key['predicate']}"


def judged(
    confidence: Confidence | None, model: LoadedKeyModel, questions: Sequence[str], going: Iterator[dict[int, Answer]]
) -> Iterator[Round]:
    """The rounds of a search, and after each that completed answers one that looks at how sure the model is of them."""
    for done in going:
        if confidence is None or not done:
            yield {number: (answer, None) for number, answer in done.items()}
            continue
        yield {}
        features = confidence_features(model.model, [questions[number] for number in done], list(done.values()))
        sure = confidence.of(features).tolist()
        yield {number: (answer, p) for (number, answer), p in zip(done.items(), sure, strict=True)}


def options_of(request: SearchRequest, model: LoadedKeyModel, *, triples: bool) -> SearchOptions:
    """Options of the search itself; confidence was fitted with a second key beside the best one.

    Rankings are fitted on triples.
    """
    beams = request.beams or max(request.n, 3)
    n = request.n
    if model.confidence is not None:
        n = max(n, 2) if request.mode == "exact" else min(max(n, 2), beams)
    fitted = request.rerank and request.mode == "beam" and triples
    return SearchOptions(
        n=n,
        mode=request.mode,
        beams=beams,
        score=request.score,
        length_penalty=request.length_penalty,
        look_ahead=request.look_ahead_weight,
        with_raw=request.with_raw,
        ranking=model.ranking if fitted else None,
        noisy_channel=model.noisy_channel if fitted and model.ranking is not None else None,
        explain=request.explain,
    )


@asynccontextmanager
async def prepared(
    name: str, request: SearchRequest, retrieval: Retrieval, admission: Admission
) -> AsyncIterator[SearchRun]:
    """Check a request, open the index, wait for a turn, have the model; the turn ends with the context.

    Raises:
        ProblemError: 404 or 409 for the index, 422 for the request, 429 if too many wait, 503 if the
            model cannot be loaded.
    """
    check(request, retrieval.limits)
    async with retrieval.turn(name, admission) as (live, model):
        check_tokens(request, model)
        yield SearchRun(request, name, live.view, model, retrieval)
