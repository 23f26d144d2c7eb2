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
                            "description": "JSON Lines: on each line a request, `{custom_id, method, url, body}`",
                        },
                        **_FIELDS["properties"],
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
