"""OpenAI's own client at a real service, and batches for it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openai import DefaultHttpxClient, OpenAI
from openai.types import Batch

from app.main import create_app
from app.settings.settings import Settings
from tests.support.live import serving, until

ENDED = ("completed", "failed", "expired", "cancelled")


@contextmanager
def serving_queue(settings: Settings, **more: Any) -> Iterator[str]:
    """The URL of a service with a queue inside."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:  # a short path, for the queue's socket
        own = {"state_dir": Path(folder), "queue_url": None, **more}
        with serving(create_app(settings.model_copy(update=own))) as url:
            yield url


def client_of(url: str, key: str = "none") -> OpenAI:
    http = DefaultHttpxClient(trust_env=False, timeout=300)
    return OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, http_client=http)


def line(name: str, body: Any, url: str = "/v1/score", **more: Any) -> dict[str, Any]:
    return {"custom_id": name, "method": "POST", "url": url, "body": body, **more}


def score(name: str, text: str = "今天。") -> dict[str, Any]:
    return line(name, {"texts": [text]})


def slow(name: str) -> dict[str, Any]:
    body = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 3000}}
    return line(name, body, "/v1/sentences")


def jsonl(lines: Iterable[Any]) -> bytes:
    return "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in lines).encode()


def submitted(client: OpenAI, lines: Sequence[Any], **more: Any) -> Batch:
    """A batch of lines, made as OpenAI's documentation has it."""
    file = client.files.create(file=("requests.jsonl", jsonl(lines)), purpose="batch")
    options = {"endpoint": lines[0]["url"], "completion_window": "24h", **more}
    return client.batches.create(input_file_id=file.id, **options)


def done(client: OpenAI, batch_id: str) -> Batch:
    """The batch, once it has ended."""
    until(lambda: client.batches.retrieve(batch_id).status in ENDED)
    return client.batches.retrieve(batch_id)


def content(client: OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    """Lines of a file."""
    assert file_id is not None
    return [json.loads(each) for each in client.files.content(file_id).text.splitlines()]
