"""Answers as frozen models. The service may send more fields than a model names: those are kept.

What a task answers has no model of its own here: it is an :class:`Answer`, whatever its fields are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chainwright_client.shown import as_html, as_text

ENDED = frozenset({"completed", "failed", "cancelled", "expired"})
"""Statuses of a job that never change."""


def _answers(value: Any) -> Any:
    if isinstance(value, dict):
        return Answer.model_validate(value)
    return [_answers(each) for each in value] if isinstance(value, list) else value


Json = Annotated[Any, BeforeValidator(_answers)]
"""Any JSON, with an :class:`Answer` in place of every object."""


class Answer(BaseModel):
    """A JSON object: ``answer.field``, or ``answer["field"]`` where the model has a method of the field's name.

    In a notebook it shows itself as HTML, and at an IPython prompt as text, where its shape is known.
    """

    __slots__ = ("_request",)
    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Json] = Field(init=False)

    def __getitem__(self, name: str) -> Any:
        return (self.__dict__ if name in type(self).model_fields else self.__pydantic_extra__)[name]

    def _repr_html_(self) -> str | None:
        return as_html(self.model_dump(), getattr(self, "_request", None))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        html = self._repr_html_()
        return {} if html is None else {"text/html": html, "text/plain": as_text(html)}

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


A = TypeVar("A", bound=Answer)


def answering(answer: A, request: Mapping[str, Any]) -> A:
    """The answer, which knows from now on what was asked; its fields are as they were."""
    object.__setattr__(answer, "_request", request)
    return answer


class Fault(Answer):
    """One thing that is wrong with a request."""

    field: str
    code: str
    message: str
    remedy: str


class Problem(Answer):
    """A failed request (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class RequestCounts(Answer):
    """Items of a job: all, those with an answer, those with an error."""

    total: int
    completed: int
    failed: int


class Job(Answer):
    """A job; times are seconds since 1970, rates items a second."""

    id: str
    status: str
    priority: str
    request_counts: RequestCounts
    rate: float | None = None
    seconds_left: float | None = None
    created_at: float
    expires_at: float
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the job is over, however."""
        return self.status in ENDED


class JobList(Answer):
    """A page of jobs, newest first; the cursor is None on the last."""

    data: list[Job]
    next_cursor: str | None


class ItemResponse(Answer):
    """Answer of one item, or its problem."""

    status_code: int
    body: Json


class ResultLine(Answer):
    """One line of a job's results or errors."""

    id: str
    custom_id: str
    response: ItemResponse | None
    error: Answer | None


class BuildReport(Answer):
    """The last build of an index: waiting, building, ready or failed, and why."""

    state: str
    failure: str | None


class IndexReport(Answer):
    """An index; None stands for what is not known, or not there yet."""

    name: str
    state: str
    keys: int | None
    build: BuildReport | None


class Indexes(Answer):
    """All indexes, by name."""

    indexes: list[IndexReport]
