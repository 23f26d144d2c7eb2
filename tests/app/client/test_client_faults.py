"""Clients and services that are away, full, slow, or no service at all."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.client import AnswerError, AsyncClient, Client, ServiceError, TimedOutError, UnreachableError
from app.client.call import plain, service_error, validated
from app.client.options import JobOptions, ScoreOptions, SearchOptions, SentencesOptions
from app.jobs.schemas import Job, JobRequest
from app.main import create_app
from app.settings.settings import Settings
from app.tasks.keywords.schemas import Length, SentencesRequest
from app.tasks.score.schemas import ScoreRequest
from app.tasks.search.schemas import SearchRequest
from app.web.access.keys import create_key
from tests.support.live import serving
from tests.support.processes import free_port

LONG = {"kind": "metropolis", "chains": 1, "steps": 3000}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_importing_it_imports_no_model_and_no_server() -> None:
    code = "import sys, app.client; print(sys.modules.keys() & {'torch', 'transformers', 'fastapi'} or 'none')"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "none"


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)


@pytest.mark.parametrize(
    ("options", "schema", "own"),
    [
        (SentencesOptions, SentencesRequest, {"keywords", "stream"}),
        (ScoreOptions, ScoreRequest, {"texts"}),
        (SearchOptions, SearchRequest, {"query", "queries", "stream"}),
        (JobOptions, JobRequest, {"items", "url", "bodies"}),
    ],
)
def test_options_are_the_fields_of_the_schema(options: Any, schema: Any, own: set[str]) -> None:
    assert options.__annotations__.keys() == schema.model_fields.keys() - own


def test_only_what_was_set_of_a_model_is_sent() -> None:
    assert plain({"length": Length(max=9), "forbidden": ("a",)}) == {"length": {"max": 9}, "forbidden": ["a"]}


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
            list(client.stream(["今天"]))


def test_a_service_that_comes_later_is_waited_for(settings: Settings) -> None:
    port = free_port()
    began = threading.Event()

    def health() -> None:
        with Client(f"http://127.0.0.1:{port}") as client:
            began.set()
            assert client.create_job(url="/v1/score", bodies=[{"texts": ["今天。"]}]).status
            done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=health)
    thread.start()
    began.wait()
    time.sleep(0.3)
    with serving(create_app(settings.model_copy(update={"queue_url": None})), port):
        thread.join(60)
    assert done == [True]


def test_a_full_service_is_waited_for(live: str) -> None:
    with Client(live) as client, Client(live, retries=0) as hasty:
        holders = [client.stream(["今天"], sampler=LONG) for _ in "12"]
        for holder in holders:
            next(holder)
        with pytest.raises(ServiceError) as caught:
            hasty.score(["今天。"])
        assert caught.value.status == 429 and caught.value.retry_after == 1
        leaving = threading.Timer(0.5, lambda: [holder.close() for holder in holders])
        leaving.start()
        assert client.score(["今天。"]).scores
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
        client.sentences(["今天"], sampler=LONG)


def test_what_is_no_answer_of_the_service() -> None:
    with pytest.raises(AnswerError, match="no Job"):
        validated(Job, b"<html>")
    error = service_error(httpx.Response(502, html="<html>Bad Gateway</html>"))
    assert error.status == 502 and error.errors == [] and "Bad Gateway" in str(error)
