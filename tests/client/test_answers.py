"""Answers of any fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chainwright_client import Answer, Job, ServiceError
from chainwright_client.answers import Problem

REPORT = {
    "id": "job_1",
    "status": "running-late",
    "priority": "bulk",
    "request_counts": {"total": 2, "completed": 1, "failed": 0, "lost": 1},
    "created_at": 0.5,
    "expires_at": 9.0,
    "later": [{"a": [{"b": None}]}, [1, 2.5, "x"]],
}


def test_fields_that_a_model_does_not_name_are_kept() -> None:
    job = Job.model_validate(REPORT)
    assert job.later[0].a[0].b is None and job.later[1] == [1, 2.5, "x"]
    assert job.request_counts.lost == 1 and not job.ended
    assert job.model_dump(exclude_unset=True) == REPORT
    assert Job.model_validate_json(job.model_dump_json()) == job


def test_answers_do_not_change() -> None:
    job = Job.model_validate(REPORT)
    for each, name in ((job, "status"), (job, "later"), (job.later[0], "a"), (job, "fresh")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(each, name, 1)


def test_fields_by_name_where_the_model_has_a_method_of_it() -> None:
    answer = Answer.model_validate({"copy": {"text": "a"}, "model": "m"})
    assert answer["copy"].text == "a" and answer["model"] == answer.model == "m"
    assert Job.model_validate(REPORT)["status"] == "running-late"
    with pytest.raises(KeyError):
        answer["nothing"]
    with pytest.raises(AttributeError):
        _ = answer.nothing


def test_a_problem_of_codes_to_come() -> None:
    fault = {"field": "a", "code": "brand-new", "message": "m", "remedy": "r"}
    problem = {"type": "t", "title": "T", "status": 422, "detail": "d", "errors": [fault]}
    error = ServiceError(Problem.model_validate(problem))
    assert error.codes == ["brand-new"] and str(error) == "422 T: d"
