"""Bodies that do not come, and answers that take too long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.main import create_app
from app.settings import Limits, Settings
from tests.app.live import connected, post, serving, until
from tests.app.test_bad_input import assert_problem

HEAD = "Host: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
LONG = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 5000}, "seed": 1}


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    limits = Limits(max_body_seconds=0.5, max_answer_seconds=1.0)
    with serving(create_app(settings.model_copy(update={"limits": limits}))) as url:
        yield url


def test_a_body_that_never_ends_gets_408(url: str) -> None:
    with connected(url) as connection:
        connection.sendall(f"POST /v1/sentences HTTP/1.1\r\n{HEAD}{{".encode())
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 408 ") and b"connection: close" in answer.lower()
    assert b"after 0.5 seconds" in answer


def test_an_upload_that_falls_silent_ends(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"limits": Limits(max_body_seconds=0.5)}))
    with serving(app) as url, connected(url) as connection:
        head = "Host: x\r\nContent-Type: text/tab-separated-values\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(f"PUT /v1/indexes/silent HTTP/1.1\r\n{head}a\tb\tc\n".encode())
        until(lambda: app.state.drain.busy == 1, 5)
        until(lambda: app.state.drain.busy == 0, 5)
        assert "silent" not in {path.name for path in settings.state_dir.glob("indexes/*")}


def test_an_answer_that_takes_too_long_gets_504_and_its_chains_stop(url: str) -> None:
    problem = assert_problem(post(url, LONG), 504)
    assert "within 1 seconds" in problem["detail"]
    # Its turn is free again.
    assert post(url, {**LONG, "sampler": {"kind": "metropolis", "chains": 1, "steps": 1}}).status_code == 200
