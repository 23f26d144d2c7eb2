"""Runs readings: from questions about a passage to spans of it, a forward at a time."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.engine.engine import Engine
from app.engine.session import scorer_report
from app.tasks.readings.checks import Reading, beams_of
from app.tasks.readings.schemas import (
    Answered,
    Place,
    ReadingReport,
    ReadingsAnswer,
    ReadingsRequest,
    ReadingsUsage,
    SpanReport,
)
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.text.normalisation import normalise

HYPOTHESES = 48
"""Hypotheses in one forward at most, or those of one question: beside it, others wait no longer than that."""
EXACT_WIDTH = 4
"""Hypotheses of a question in one forward of exact mode."""
LEAST_CONFIDENCE = 0.5
"""Least confidence of an answer by a model that is not calibrated: below, another span is likelier."""


@dataclass(eq=False)
class ReadingRun:
    """The readings of a request, as they come.

    Attributes:
        request: the request.
        readings: its questions by language, ready to be read.
        engine: which reads them.
        done: answers so far, by the number of their question.
        expansions, rounds, seconds: see :class:`app.tasks.readings.schemas.ReadingsUsage`.
    """

    request: ReadingsRequest
    readings: Sequence[Reading]
    engine: Engine
    done: dict[int, ReadingReport] = field(default_factory=dict)
    expansions: int = 0
    rounds: int = 0
    seconds: float = 0.0

    async def answers(self) -> AsyncGenerator[Answered]:
        """Each answer when it is found, in whatever order; closing the iterator stops the search."""
        began = time.perf_counter()
        passage = normalise(self.request.passage)
        options = self._options()
        width = EXACT_WIDTH if options.mode == "exact" else options.beams
        for reading in self.readings:
            questions = [self.request.asked[number] for number in reading.numbers]
            together = max(1, HYPOTHESES // width)
            going = reading.reader.readings(passage, reading.index, questions, options, together)
            while (found := await self.engine.batcher.call(partial(next, going, None))) is not None:
                self.rounds += 1
                self.seconds = time.perf_counter() - began
                for place, answer in found.items():
                    self.expansions += answer.expansions
                    number = reading.numbers[place]
                    self.done[number] = self._report(reading, questions[place], answer)
                    yield Answered(number=number, **self.done[number].model_dump())

    def answer(self) -> ReadingsAnswer:
        """All answers and what they cost."""
        return ReadingsAnswer(
            ranking="model",
            answers=[self.done[number] for number in range(len(self.request.asked))],
            usage=ReadingsUsage(
                spans=max(len(reading.index) for reading in self.readings),
                expansions=self.expansions,
                rounds=self.rounds,
                seconds=self.seconds,
            ),
            model=scorer_report(self.engine.model),
        )

    def _options(self) -> SearchOptions:
        return SearchOptions(n=self.request.n, mode=self.request.mode, beams=beams_of(self.request))

    def _report(self, reading: Reading, question: str, answer: Answer) -> ReadingReport:
        spans = [self._span(reading, found) for found in answer.found]
        return ReadingReport(
            question=question,
            language=reading.language.code,
            spans=spans,
            no_answer=not spans or spans[0].confidence < LEAST_CONFIDENCE,
            proven=answer.proven,
        )

    def _span(self, reading: Reading, found: Found) -> SpanReport:
        places = sorted(reading.index.occurrences[found.number])
        start, end = places[0]
        return SpanReport(
            text=self.request.passage[start:end],
            start=start,
            end=end,
            score=found.rank_score,
            confidence=min(1.0, math.exp(found.renormalised)),
            occurrences=[Place(start=start, end=end) for start, end in places],
        )
