"""OpenAPI of bodies and answers that are not plain JSON."""

from __future__ import annotations

import json
from typing import Any

from app.jobs.documentation import JSONL, RESULT_LINE
from app.openai.files_upload import FORM, FileFields
from app.tasks.keywords.task import Sentences
from app.web.requests import problem_responses

_LINE = {"custom_id": "a", "method": "POST", "url": Sentences.path, "body": {"keywords": ["今天", "公园"], "seed": 7}}
_FIELDS = FileFields.model_json_schema()
_OPTIONAL = {name: part for name, part in _FIELDS["properties"].items() if name not in _FIELDS["required"]}

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    **_FIELDS,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "minLength": 1,
                            "description": "JSON Lines: on each line a request, `{custom_id, method, url, body}`",
                        },
                        "purpose": _FIELDS["properties"]["purpose"],
                        # On the wire all are text, and an empty list is nothing: a type here would say too much.
                        **{name: {"description": part["description"]} for name, part in _OPTIONAL.items()},
                    },
                    "required": ["file", *_FIELDS["required"]],
                },
                "example": {"file": f"{json.dumps(_LINE, ensure_ascii=False)}\n", "purpose": "batch"},
            }
        },
    }
}
"""Body of POST /v1/files, which the route reads itself."""

UPLOADED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Kept, and on the disk"},
    **problem_responses(400, 413, 415, 422, 500, 503),
}

CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"The bytes as they came in, or JSON Lines, {RESULT_LINE}",
        "content": {JSONL: {"schema": {"type": "string"}}},
    },
    **problem_responses(404, 422, 500, 503),
}
