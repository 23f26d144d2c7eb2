"""Answers as frozen models. The service may send more fields than a model names: those are kept.

What a task answers has no model of its own here: it is an :class:`Answer`, whatever its fields are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ENDED = frozenset({"completed", "failed", "cancelled", "expired"})
"""Statuses of a job that never change."""


def _answers(value: Any) -> Any:
    if isinstance(value, dict):
        return Answer.model_validate(value)
    return [_answers(each) for each in value] if isinstance(value, list) else value


Json = Annotated[Any, BeforeValidator(_answers)]
"""Any JSON, with an :class:`Answer` in place of every object."""


class Answer(BaseModel):
    """A JSON object: ``answer.field``, or ``answer["field"]`` where the model has a method of the field's name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Json] = Field(init=False)

    def __getitem__(self, name: str) -> Any:
        return (self.__dict__ if name in type(self).model_fields else self.__pydantic_extra__)[name]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


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
