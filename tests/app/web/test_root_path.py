"""Behind a proxy that shows the service below a path, every URL that it writes can be followed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings.settings import Settings
from app.web.access.keys import create_key
from chainwright_client import Client
from tests.support.live import serving
from tests.support.proxy import proxying

ROOT = "/some/llm"


@pytest.fixture(scope="module")
def rooted(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    state = tmp_path_factory.mktemp("rooted")
    return create_app(settings.model_copy(update={"root_path": ROOT, "state_dir": state}))


@pytest.fixture(scope="module")
def direct(rooted: FastAPI) -> Iterator[str]:
    """The service itself."""
    with serving(rooted) as url:
        yield url


@pytest.fixture(scope="module", params=[True, False], ids=["strips", "keeps"])
def outside(direct: str, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A browser's view, through the proxy."""
    with (
        proxying(direct, ROOT, strips=request.param) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=300) as client,
    ):
        yield client


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_finds_its_schema_and_its_files(outside: httpx.Client, page: str) -> None:
    answer = outside.get(f"{ROOT}{page}")
    assert answer.status_code == 200 and "script-src 'self'" in answer.headers["content-security-policy"]
    urls = re.findall(r"""(?:src|href|spec-url|url:)[=\s]*["'](/[^"']*)["']""", answer.text)
    assert len(urls) >= 3 and f"{ROOT}/openapi.json" in urls
    for url in urls:
        assert outside.get(url).status_code == 200, url


def test_the_schema_says_where_the_service_is(outside: httpx.Client, settings: Settings) -> None:
    document = outside.get(f"{ROOT}/openapi.json").json()
    assert document["servers"] == [{"url": ROOT}] and "/v1/score" in document["paths"]
    assert "servers" not in create_app(settings).openapi()


def test_location_and_link_can_be_followed(outside: httpx.Client) -> None:
    bodies = [{"texts": ["a dog."]}, {"texts": ["the cat."]}]
    made = outside.post(f"{ROOT}/v1/jobs", json={"url": "/v1/score", "bodies": bodies})
    assert made.status_code == 202 and made.headers["location"] == f"{ROOT}/v1/jobs/{made.json()['id']}"
    deadline = time.monotonic() + 300
    while (job := outside.get(made.headers["location"])).json()["status"] != "completed":
        assert job.status_code == 200 and time.monotonic() < deadline
        time.sleep(0.05)
    page = outside.get(f"{made.headers['location']}/results?limit=1")
    following = re.fullmatch(r'<(.*)>; rel="next"', page.headers["link"])
    assert following is not None
    last = outside.get(following[1])
    assert last.status_code == 200 and last.text and last.text != page.text

    built = outside.post(f"{ROOT}/v1/indexes", json={"name": "rooted", "format": "pairs", "lines": ["a\tb"]})
    assert built.status_code == 202 and outside.get(built.headers["location"]).json()["name"] == "rooted"
    put = outside.put(f"{ROOT}/v1/indexes/put", content=b"a\tb", headers={"Content-Type": "text/tab-separated-values"})
    assert put.status_code == 202 and outside.get(put.headers["location"]).json()["name"] == "put"


def test_the_service_is_the_same_below_the_path(outside: httpx.Client, direct: str) -> None:
    body = {"texts": ["the dog runs."]}
    below = outside.post(f"{ROOT}/v1/score", json=body)
    assert (
        below.json()["scores"]
        == httpx.post(f"{direct}/v1/score", json=body, trust_env=False, timeout=300).json()["scores"]
    )
    assert below.headers["cache-control"] == "no-store"
    # Probes may go past the proxy.
    for path in ("/health", "/ready"):
        assert outside.get(f"{ROOT}{path}").json() == httpx.get(f"{direct}{path}", trust_env=False, timeout=300).json()
    away = outside.get(f"{ROOT}/nowhere")
    assert away.status_code == 404 and away.json()["type"].endswith("not-found")
    refused = httpx.delete(f"{direct}{ROOT}/v1/score", trust_env=False, timeout=300)
    assert refused.status_code == 405 and refused.headers["allow"] == "POST"
    assert httpx.head(f"{direct}{ROOT}/docs", trust_env=False, timeout=300).status_code == 200
    assert 'http_route="/v1/score"' in outside.get(f"{ROOT}/metrics").text
    with Client(str(outside.base_url.join(ROOT))) as client:
        found = client.score(texts=["the dog runs."]).model_dump(mode="json")["scores"]
    assert found == below.json()["scores"]


def test_a_path_that_only_begins_alike_is_not_below(direct: str) -> None:
    assert httpx.get(f"{direct}{ROOT}x/health", trust_env=False, timeout=300).status_code == 404


def test_keys_are_asked_for_below_the_path(settings: Settings, tmp_path: Path) -> None:
    _, key = create_key(tmp_path / "keys.json", "team")
    update = {"root_path": ROOT, "state_dir": tmp_path, "keys_file": tmp_path / "keys.json", "queue_url": None}
    with serving(create_app(settings.model_copy(update=update))) as url:
        for path, status in (("/v1/models", 401), ("/docs", 200), ("/health", 200), ("/openapi.json", 200)):
            assert httpx.get(f"{url}{ROOT}{path}", trust_env=False, timeout=300).status_code == status
        allowed = httpx.get(f"{url}{ROOT}/v1/models", headers={"X-API-Key": key}, trust_env=False, timeout=300)
        assert allowed.status_code == 200
