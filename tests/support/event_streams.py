"""Server-sent events as tests read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx


def events_in(lines: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Names and data; a comment has no name."""
    name = ""
    for line in lines:
        if line.startswith(":"):
            yield "", None
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def read_events(url: str, body: dict[str, Any]) -> tuple[list[tuple[str, Any]], int]:
    """Events with their data, and the number of comments."""
    with httpx.stream("POST", url, json={**body, "stream": True}, timeout=300, trust_env=False) as response:
        assert response.status_code == 200 and response.headers["content-type"].startswith("text/event-stream")
        every = list(events_in(response.iter_lines()))
    events = [event for event in every if event[0]]
    return events, len(every) - len(events)
