"""Clients and services that are away, full, slow, or no service at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings.settings import Settings
from app.tasks.keywords.schemas import Length
from app.web.access.keys import create_key
from chainwright_client import AnswerError, Client, Job, ServiceError, TimedOutError, UnreachableError
from chainwright_client.exchange import plain, service_error, validated
from tests.support.live import serving
from tests.support.processes import free_port

LONG = {"kind": "metropolis", "chains": 4, "steps": 5000}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_only_what_was_set_of_a_model_is_sent() -> None:
    assert plain({"length": Length(max=9), "forbidden": ("a",)}) == {"length": {"max": 9}, "forbidden": ["a"]}


def test_what_is_no_number_is_not_sent() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(ValueError, match="JSON"):
        client.change_index("a", add=[{"subject": "b", "values": [float("nan")]}])


def test_url_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("CHAINWRIGHT_API_KEY", "secret")
    with Client() as client, Client("http://127.0.0.1:2") as other:
        assert client.url == "http://127.0.0.1:1" and other.url == "http://127.0.0.1:2"
        assert client._http.headers["Authorization"] == "Bearer secret"
    with pytest.raises(ValueError, match="http"):
        Client("127.0.0.1:8000")


def test_nobody_there() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", retries=0) as client:
        with pytest.raises(UnreachableError, match="running"):
            client.health()
        with pytest.raises(UnreachableError):
            list(client.sentences.stream(keywords=["今天"]))


def test_a_service_that_comes_later_is_waited_for(settings: Settings) -> None:
    port = free_port()
    began = threading.Event()

    def health() -> None:
        # More tries than by default: a busy machine may take long to start a service.
        with Client(f"http://127.0.0.1:{port}", retries=50) as client:
            began.set()
            assert client.job_of("score", [{"texts": ["今天。"]}]).status
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=health)
    thread.start()
    began.wait()
    time.sleep(0.3)
    with serving(create_app(settings.model_copy(update={"queue_url": None})), port):
        thread.join(300)
    assert done == [True]


def test_a_full_service_is_waited_for(live: str) -> None:
    with Client(live) as client, Client(live, retries=0) as hasty:
        holders = [client.sentences.stream(keywords=["今天"], sampler=LONG) for _ in "12"]
        for holder in holders:
            next(holder)
        with pytest.raises(ServiceError) as caught:
            hasty.score(texts=["今天。"])
        assert caught.value.status == 429 and caught.value.retry_after == 1
        leaving = threading.Timer(0.5, lambda: [holder.close() for holder in holders])
        leaving.start()
        assert client.score(texts=["今天。"]).scores
        leaving.join()


def test_keys_and_rates(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    token = create_key(keys, "team", rate="3/second")[1]
    with serving(create_app(settings.model_copy(update={"keys_file": keys, "queue_url": None}))) as url:
        with Client(url) as stranger, pytest.raises(ServiceError, match="401") as caught:
            stranger.models()
        assert caught.value.errors[0].field == "Authorization"
        with Client(url, api_key=token, retries=0) as hasty, pytest.raises(ServiceError) as caught:
            [hasty.models() for _ in range(50)]
        assert caught.value.status == 429 and caught.value.retry_after is not None
        with Client(url, api_key=token) as client:
            assert [client.models().models[0].name for _ in range(8)]


def test_an_answer_that_takes_too_long(live: str) -> None:
    with Client(live, timeout=0.1) as client, pytest.raises(TimedOutError, match="longer timeout"):
        client.sentences(keywords=["今天"], sampler=LONG)


class Pieces(httpx.SyncByteStream):
    """The body of an answer, which may break off."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self.pieces, self.error = pieces, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (Pieces([b'event: step\ndata: {"step": 1}\n\n']), UnreachableError, "ended before its last event"),
        (Pieces([b"event: step\n"], httpx.ReadError("reset")), UnreachableError, "reset"),
        (Pieces([b"event: step\n"], httpx.ReadTimeout("slow")), TimedOutError, "longer timeout"),
        (Pieces([b"data: [1]\n\n"]), AnswerError, "no Answer"),
        (
            Pieces([b'event: error\ndata: {"type": "t", "title": "x", "status": 500, "detail": "y"}\n\n']),
            ServiceError,
            "500",
        ),
    ],
)
def test_a_stream_without_its_end(body: Pieces, kind: type[Exception], message: str) -> None:
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=headers, stream=body))
    with Client(transport=transport, retries=0) as client, pytest.raises(kind, match=message):
        list(client.events("job_1"))


def test_an_answer_in_place_of_a_stream() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    with Client(transport=transport) as client, pytest.raises(AnswerError, match="no stream"):
        list(client.events("job_1"))


def test_names_stay_in_their_place_in_the_path() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(204)

    with Client(transport=httpx.MockTransport(answer)) as client:
        client.delete_index("a/../b?c")
    assert paths == [b"/v1/indexes/a%2F..%2Fb%3Fc"]


def test_what_is_no_answer_of_the_service() -> None:
    with pytest.raises(AnswerError, match="no Job"):
        validated(Job, b"<html>")
    error = service_error(httpx.Response(502, html="<html>Bad Gateway</html>"))
    assert error.status == 502 and error.errors == [] and "Bad Gateway" in str(error)
