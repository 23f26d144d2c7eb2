"""Bodies that do not come, and answers that take too long."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import structlog

from app.main import create_app
from app.settings.settings import Limits, Settings
from tests.app.web.test_bad_input import assert_problem
from tests.support.live import connected, post, serving, until

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


def upload(connection: socket.socket, name: str) -> None:
    """The beginning of an upload."""
    head = "Host: x\r\nContent-Type: text/tab-separated-values\r\nContent-Length: 1000\r\n\r\n"
    connection.sendall(f"PUT /v1/indexes/{name} HTTP/1.1\r\n{head}a\tb\tc\n".encode())


def test_an_upload_that_falls_silent_gets_408(url: str, settings: Settings) -> None:
    with connected(url) as connection:
        upload(connection, "silent")
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")
    assert not (settings.state_dir / "indexes" / "silent").exists()


def test_a_client_who_leaves_midway_in_an_upload_is_no_error(settings: Settings) -> None:
    app = create_app(settings)
    with serving(app) as url:
        with structlog.testing.capture_logs() as logs, connected(url) as connection:
            upload(connection, "left")
            until(lambda: app.state.drain.busy == 1)
            connection.close()
            until(lambda: app.state.drain.busy == 0)
        assert [line["log_level"] for line in logs if line["event"] != "request"] == []
    assert not (settings.state_dir / "indexes" / "left").exists()


def test_an_answer_that_takes_too_long_gets_504_and_its_chains_stop(url: str) -> None:
    problem = assert_problem(post(url, LONG), 504)
    assert "within 1 seconds" in problem["detail"]
    # Its turn is free again; a busy machine may take more than a second even for this.
    short = {**LONG, "sampler": {"kind": "metropolis", "chains": 1, "steps": 1}}
    until(lambda: post(url, short).status_code == 200)
