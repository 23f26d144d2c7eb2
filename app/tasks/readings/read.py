"""Runs readings: from questions about a passage to spans of it, a forward at a time."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.engine.engine import Engine
from app.languages.choice import LanguageCode
from app.tasks.readings.checks import Reading, beams_of
from app.tasks.readings.readers import readers_of
from app.tasks.readings.schemas import (
    Answered,
    Place,
    ReadingReport,
    ReadingsAnswer,
    ReadingsRequest,
    ReadingsUsage,
    SpanReport,
)
from models.retrieval.reading.reader import Read, ReadSpan
from models.retrieval.reading.spans import spans_of
from models.retrieval.search.options import SearchOptions

HYPOTHESES = 48
"""Hypotheses in one forward at most, or those of one question: beside it, others wait no longer than that."""
EXACT_WIDTH = 4
"""Hypotheses of a question in one forward of exact mode."""
LEAST_CONFIDENCE = 0.5
"""Least confidence of an answer: below, that it is another one, or none, is likelier."""


@dataclass(eq=False)
class ReadingRun:
    """The readings of a request, as they come.

    Attributes:
        request: the request.
        readings: its questions by language, ready to be read.
        engine: which reads them.
        done: answers so far, by the number of their question.
        spans, expansions, rounds, seconds: see :class:`app.tasks.readings.schemas.ReadingsUsage`.
    """

    request: ReadingsRequest
    readings: Sequence[Reading]
    engine: Engine
    done: dict[int, ReadingReport] = field(default_factory=dict)
    spans: int = 0
    expansions: int = 0
    rounds: int = 0
    seconds: float = 0.0

    async def answers(self) -> AsyncGenerator[Answered]:
        """Each answer when it is found, in whatever order; closing the iterator stops the search."""
        began = time.perf_counter()
        options = self._options()
        width = EXACT_WIDTH if options.mode == "exact" else options.beams
        spans = await asyncio.to_thread(lambda: list(spans_of(self.request.passage, self.request.longest)))
        for reading in self.readings:
            index = await asyncio.to_thread(reading.reader.index, self.request.passage, spans)
            self.spans = max(self.spans, len(index) - (index.none is not None))
            questions = [self.request.asked[number] for number in reading.numbers]
            going = reading.reader.readings(index, questions, options, max(1, HYPOTHESES // width))
            while (found := await self.engine.batcher.call(partial(next, going, None))) is not None:
                self.rounds += 1
                self.seconds = time.perf_counter() - began
                for place, read in found.items():
                    self.expansions += read.expansions
                    number = reading.numbers[place]
                    self.done[number] = self._report(questions[place], reading.language.code, read)
                    yield Answered(number=number, **self.done[number].model_dump())

    def answer(self) -> ReadingsAnswer:
        """All answers and what they cost."""
        return ReadingsAnswer(
            readings=[self.done[number] for number in range(len(self.request.asked))],
            usage=ReadingsUsage(spans=self.spans, expansions=self.expansions, rounds=self.rounds, seconds=self.seconds),
            model=readers_of(self.engine).report,
        )

    def _options(self) -> SearchOptions:
        return SearchOptions(n=self.request.n, mode=self.request.mode, beams=beams_of(self.request))

    def _report(self, question: str, language: LanguageCode, read: Read) -> ReadingReport:
        spans = [self._span(span) for span in read.spans]
        return ReadingReport(
            question=question,
            language=language,
            spans=spans,
            no_answer=not spans or spans[0].confidence < LEAST_CONFIDENCE,
            proven=read.proven,
        )

    def _span(self, span: ReadSpan) -> SpanReport:
        start, end = span.place
        return SpanReport(
            text=self.request.passage[start:end],
            start=start,
            end=end,
            score=span.score,
            confidence=min(1.0, math.exp(span.score)),
            occurrences=[Place(start=start, end=end) for start, end in span.occurrences],
        )
