"""Refuses readings that no model could give, and makes the rest ready to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.engine.engine import Engine
from app.languages.base import Language
from app.languages.choice import choose_language
from app.settings.settings import Limits
from app.tasks.limits import Bound, OneOrMany, above, narrow
from app.tasks.readings.readers import Readers
from app.tasks.readings.schemas import ReadingsRequest
from app.web.codes import Code
from app.web.problems import Fault, refuse
from models.retrieval.reading.reader import Reader
from models.text.normalisation import normalise

ASKED = OneOrMany("question", "questions")
DEFAULT_BEAMS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Questions of one language about the passage.

    Attributes:
        language: of the form.
        numbers: of the questions in the request.
        reader: of the form.
    """

    language: Language
    numbers: Sequence[int]
    reader: Reader


def check(request: ReadingsRequest, limits: Limits) -> None:
    """Refuse what is wrong whatever the model.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    refuse(list(_faults(request, limits)))


def beams_of(request: ReadingsRequest) -> int:
    """Width of the beam."""
    return request.beams or max(request.n, DEFAULT_BEAMS)


def readings_of(request: ReadingsRequest, engine: Engine, readers: Readers) -> list[Reading]:
    """Check a request and part its questions by language.

    Raises:
        ProblemError: 422.
    """
    check(request, engine.limits)
    together: dict[Language, list[int]] = {}
    for number, question in enumerate(request.asked):
        together.setdefault(choose_language(request.language, [question]), []).append(number)
    readings = [Reading(language, numbers, readers.of(language.code)) for language, numbers in together.items()]
    refuse([fault for reading in readings for fault in _too_long(request, reading, readers.room)])
    return readings


def _too_long(request: ReadingsRequest, reading: Reading, room: int) -> Iterator[Fault]:
    """What does not fit into the model: a fault of the passage alone, or of each question beside it."""
    reader = reading.reader
    left = room - len(reader.opening) - len(reader.tokens(normalise(request.passage))) - request.longest
    if left <= 0:
        yield Fault(
            field="passage",
            code=Code.TOO_LONG,
            message=f"it has {-left} tokens more than the model reads beside its examples",
            remedy="shorten it",
        )
        return
    for number in reading.numbers:
        length = len(reader.codec.question(request.asked[number]))
        if length > left:
            yield Fault(
                field=ASKED.field(request, number),
                code=Code.TOO_LONG,
                message=f"it has {length} tokens, and the model reads at most {left} beside the passage",
                remedy="shorten it, or the passage",
            )


def _faults(request: ReadingsRequest, limits: Limits) -> Iterator[Fault]:
    yield from ASKED.faults(request)
    yield from above(
        [
            Bound("passage", request.passage, limits.max_passage_characters),
            Bound("n", request.n, limits.max_results),
            Bound("beams", beams_of(request), limits.max_beams),
            Bound("questions", request.asked, limits.max_queries, "questions"),
            *ASKED.bounds(request, request.asked[: limits.max_queries], limits.max_query_characters),
        ]
    )
    yield from narrow(request.mode, request.beams, request.n, "spans")
