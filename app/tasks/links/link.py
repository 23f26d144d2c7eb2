"""From a request for links to its answer: names are found beside, and scored in, the model's thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from app.engine.admission import Admission
from app.indexes.opened import Retrieval
from app.indexes.reports import model_report
from app.indexes.rounds import Round
from app.settings.settings import Limits
from app.tasks.limits import Bound, OneOrMany, above
from app.tasks.links.schemas import (
    Linked,
    LinkedKey,
    LinkedReport,
    LinksAnswer,
    LinksRequest,
    LinksUsage,
    MentionReport,
)
from app.web.problems import Fault, refuse
from models.retrieval.index.key_format import join_entity
from models.retrieval.index.overlay import OverlayView
from models.retrieval.links.link import Candidate, Link, Linker
from models.retrieval.links.names import NamesIn
from models.retrieval.loading import LoadedKeyModel
from models.text.alignment import AlignedText

log = structlog.get_logger()

ASKED = OneOrMany("text", "texts")
TOGETHER = 16
"""Names that share forwards: beside them, others wait no longer than that."""
CHARACTERS = 2000
"""Characters of texts in which names are looked for at once."""


def check(request: LinksRequest, limits: Limits) -> None:
    """Refuse what no index could mend.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    refuse(list(_faults(request, limits)))


def _faults(request: LinksRequest, limits: Limits) -> Iterator[Fault]:
    yield from ASKED.faults(request)
    yield from above(
        [
            Bound("n", request.n, limits.max_results),
            Bound("texts", request.given, limits.max_texts, "texts in one request"),
            *ASKED.bounds(request, request.given, limits.max_text_characters),
        ]
    )
    if request.texts is not None:
        yield from above([Bound("texts", "".join(request.given), limits.max_linked_characters)])


@dataclass(eq=False)
class LinksRun:
    """Links that have their turn, their index and their model.

    Attributes:
        request: what was asked.
        view: the index as it was when the run began; later changes are not seen.
        model: that writes keys.
        retrieval: of the process.
        done: texts so far, by their number.
        names, rounds, seconds: see :class:`app.tasks.links.schemas.LinksUsage`.
    """

    request: LinksRequest
    view: OverlayView
    model: LoadedKeyModel
    retrieval: Retrieval
    done: dict[int, Linked] = field(default_factory=dict)
    names: int = 0
    rounds: int = 0
    seconds: float = 0.0

    async def answers(self) -> AsyncGenerator[LinkedReport]:
        """Each text when it is linked; closing the iterator stops the run."""
        began = time.perf_counter()
        tokenizer = self.model.tokenizer
        finder = NamesIn(self.view, self.view.base.key_format, tokenizer.encode, tokenizer.decode)
        linker = Linker.of(self.view, self.model)
        try:
            for numbers in _parts(self.request.given):
                texts = [AlignedText.of(self.request.given[number]) for number in numbers]
                names = [await asyncio.to_thread(finder.of, text.normal) for text in texts]
                self.names += sum(map(len, names))
                going = linker.rounds([text.normal for text in texts], names, self.request.confidence, TOGETHER)
                while (found := await self.retrieval.batcher.submit(Round(going))) is not None:
                    self.rounds += 1
                    for place, links in found.items():
                        linked = self._linked(texts[place], links)
                        self.done[numbers[place]] = linked
                        yield LinkedReport(number=numbers[place], **linked.model_dump())
        finally:
            self.seconds = time.perf_counter() - began
            log.info(
                "linked" if len(self.done) == len(self.request.given) else "linking stopped",
                index=self.request.index,
                texts=len(self.done),
                of=len(self.request.given),
                names=self.names,
                seconds=round(self.seconds, 3),
            )

    def answer(self) -> LinksAnswer:
        """All texts and what they cost."""
        return LinksAnswer(
            index=self.request.index,
            links=[self.done[number] for number in range(len(self.request.given))],
            usage=LinksUsage(names=self.names, rounds=self.rounds, seconds=self.seconds),
            model=model_report(self.model),
        )

    def _linked(self, text: AlignedText, links: Sequence[Link]) -> Linked:
        mentions = []
        for link in links:
            start, end = text.span(link.name.start, link.name.stop)
            mentions.append(
                MentionReport(
                    start=start,
                    end=end,
                    text=text.given[start:end],
                    confidence=link.probability,
                    keys=[self._key(each) for each in link.candidates[: self.request.n]],
                    exact=link.name.whole,
                )
            )
        return Linked(text=text.given, mentions=mentions)

    def _key(self, candidate: Candidate) -> LinkedKey:
        keys = candidate.entity.keys
        parts = self.retrieval.library.texts(self.view, keys[0])
        subject, meaning = parts.get("subject", parts.get("key", "")), parts.get("meaning", "")
        return LinkedKey(
            subject=subject,
            meaning=meaning,
            text=join_entity(subject, meaning),
            facts=len(keys),
            score=candidate.score,
            confidence=candidate.confidence,
        )


def _parts(texts: Sequence[str]) -> Iterator[list[int]]:
    """Numbers of texts that are read together: as many as have :data:`CHARACTERS`, one at least."""
    part: list[int] = []
    size = 0
    for number, text in enumerate(texts):
        if part and size + len(text) > CHARACTERS:
            yield part
            part, size = [], 0
        part.append(number)
        size += len(text)
    yield part


@asynccontextmanager
async def prepared(request: LinksRequest, retrieval: Retrieval, admission: Admission) -> AsyncIterator[LinksRun]:
    """Check a request, open the index, wait for a turn, have the model; the turn ends with the context.

    Raises:
        ProblemError: 404 or 409 for the index, 422 for the request, 429 if too many wait, 503 if the
            model cannot be loaded.
    """
    check(request, retrieval.limits)
    async with retrieval.turn(request.index, admission, "index") as (live, model):
        yield LinksRun(request, live.view, model, retrieval)
