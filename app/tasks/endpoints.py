"""The routes that an item may name: how each checks a body, what it costs, and how it is run in this process."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.indexes.problems import told
from app.indexes.schemas import NAME_PATTERN
from app.jobs.schemas import URL
from app.tasks.keywords import service as sentences
from app.tasks.keywords.plan import make_plan
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.score import score as scoring
from app.tasks.score.schemas import ScoreRequest
from app.tasks.search import search as retrieval
from app.tasks.search.checks import check as check_search
from app.tasks.search.schemas import SearchRequest
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from app.web.validation import faults_of

R = TypeVar("R", bound=BaseModel)


class Endpoint(ABC, Generic[R]):
    """A route, without HTTP."""

    kind: ClassVar[str]
    """For the book of costs."""
    schema: ClassVar[type[BaseModel]]

    def read(self, body: dict[str, Any]) -> R:
        """The request of a body.

        Raises:
            ProblemError: 422.
        """
        try:
            request: R = self.schema.model_validate(body)  # type: ignore[assignment]
        except ValidationError as error:
            raise ProblemError(422, faults_of(error.errors())) from None
        if getattr(request, "stream", False):
            raise invalid("stream", Code.CONTRADICTORY, "an item of a job cannot be streamed", "leave stream out")
        return request

    @abstractmethod
    def check(self, request: R, engine: Engine) -> None:
        """Refuse what the route would refuse; may take some milliseconds, so keep it off the event loop.

        Raises:
            ProblemError: 404, 409 or 422.
        """

    @abstractmethod
    def units(self, request: R) -> float:
        """How much work a request is, in units of its kind."""

    @abstractmethod
    async def run(self, request: R, engine: Engine) -> BaseModel:
        """What the route answers.

        Raises:
            ProblemError: as the route.
        """


class Sentences(Endpoint[SentencesRequest]):
    """/v1/sentences; a unit is a step of a chain."""

    kind = "sentences"
    schema = SentencesRequest

    def check(self, request: SentencesRequest, engine: Engine) -> None:
        """See :meth:`Endpoint.check`."""
        make_plan(request, engine.model, engine.limits)

    def units(self, request: SentencesRequest) -> float:
        """See :meth:`Endpoint.units`."""
        return float((request.sampler.steps + 1) * request.sampler.chains)

    async def run(self, request: SentencesRequest, engine: Engine) -> BaseModel:
        """See :meth:`Endpoint.run`."""
        return await sentences.complete(request, engine)


class Score(Endpoint[ScoreRequest]):
    """/v1/score; a unit is a text."""

    kind = "score"
    schema = ScoreRequest

    def check(self, request: ScoreRequest, engine: Engine) -> None:
        """See :meth:`Endpoint.check`."""
        scoring.spell(request, engine.model, engine.limits)

    def units(self, request: ScoreRequest) -> float:
        """See :meth:`Endpoint.units`."""
        return float(len(request.texts))

    async def run(self, request: ScoreRequest, engine: Engine) -> BaseModel:
        """See :meth:`Endpoint.run`."""
        return await scoring.score(request, engine)


@dataclass(frozen=True)
class Search(Endpoint[SearchRequest]):
    """/v1/indexes/{name}/search; a unit is a question."""

    name: str

    kind = "search"
    schema = SearchRequest

    def check(self, request: SearchRequest, engine: Engine) -> None:
        """See :meth:`Endpoint.check`."""
        check_search(request, engine.limits)
        with told(retrieval_of(engine).library.root, "url"):
            retrieval_of(engine).library.open(self.name)

    def units(self, request: SearchRequest) -> float:
        """See :meth:`Endpoint.units`."""
        return float(len(request.questions))

    async def run(self, request: SearchRequest, engine: Engine) -> BaseModel:
        """See :meth:`Endpoint.run`."""
        return await retrieval.complete(self.name, request, retrieval_of(engine), engine.admission)


@lru_cache(maxsize=64)
def endpoint_of(url: str) -> Endpoint[Any]:
    """The route of a URL.

    Raises:
        ProblemError: 422 if jobs know none of this path.
    """
    if url == "/v1/sentences":
        return Sentences()
    if url == "/v1/score":
        return Score()
    found = re.fullmatch(r"/v1/indexes/([^/]*)/search", url)
    if found and re.fullmatch(NAME_PATTERN, found[1]):
        return Search(found[1])
    raise invalid("url", Code.UNKNOWN_VALUE, f"{url[:80]!r} is no route that an item may name", f"give {URL}")
