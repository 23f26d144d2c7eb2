"""OpenAPI of bodies and answers that are not plain JSON."""

from __future__ import annotations

from typing import Any

from app.jobs.schemas import JobRequest
from app.tasks.keywords.task import Sentences
from app.tasks.score.task import Score
from app.web.requests import problem_responses

JSONL = "application/jsonl"
MEDIA_TYPES = {"jsonl": JSONL, "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
"""By format of results."""

_LINES = "JSON Lines: on each line an item, `{custom_id, url, body}`"
_EXAMPLE = (
    f'{{"custom_id": "a", "url": "{Sentences.path}", "body": {{"keywords": ["今天", "公园"], "seed": 7}}}}\n'
    f'{{"custom_id": "b", "url": "{Score.path}", "body": {{"texts": ["今天我去公园散步。"]}}}}\n'
)


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    """Schema with its definitions in place."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(definitions[part["$ref"].rpartition("/")[2]])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    inlined: dict[str, Any] = resolved(schema)
    return inlined


SUBMISSION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _inline(JobRequest.model_json_schema())},
            JSONL: {"schema": {"type": "string", "description": _LINES}, "example": _EXAMPLE},
        },
    }
}
"""Body of POST /v1/jobs, which the route reads itself."""

_LOCATION = {"Location": {"description": "of the job", "schema": {"type": "string"}}}

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"description": "Accepted, and on the disk; `Location` tells how far it is", "headers": _LOCATION},
    **problem_responses(400, 413, 415, 422, 500, 503),
}

DELETED: dict[int | str, dict[str, Any]] = {
    202: {"description": "It is being cancelled"},
    204: {"description": "It had ended, or could not be read any more, and is deleted"},
    **problem_responses(404, 422, 500, 503),
}

_STREAM = (
    "Each event has an id, by which `Last-Event-ID` resumes, and a JobEvent as JSON in `data`: `status` when the "
    "job's status changes, `progress` when items are done, at most five a second. Ends with the job."
)
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": _STREAM,
        "content": {"text/event-stream": {"schema": {"type": "string", "description": _STREAM}}},
    },
    **problem_responses(404, 422, 500, 503),
}

RESULT_LINE = "each `{id, custom_id, response: {status_code, request_id, body}, error}`"

_TABLE = "A row for each line: `custom_id`, the columns of its task, and `error`"
LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"JSON Lines, {RESULT_LINE}. A page of a running job ends before the first item that is not "
        "done: whoever goes on from `X-Next-Cursor` misses none",
        "headers": {
            "X-Next-Cursor": {"description": "`after` of the next page", "schema": {"type": "integer"}},
            "X-Has-More": {
                "description": "whether there is another page, now or once more items are done",
                "schema": {"type": "string", "enum": ["true", "false"]},
            },
            "Link": {"description": "the next page, if there is more", "schema": {"type": "string"}},
        },
        "content": {
            JSONL: {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string", "description": _TABLE}},
            MEDIA_TYPES["parquet"]: {"schema": {"type": "string", "format": "binary", "description": _TABLE}},
        },
    },
    **problem_responses(404, 422, 500, 503),
}
