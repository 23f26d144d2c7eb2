from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from app.studio.routes import PAGE, STATIC, content_security_policy
from app.studio.vendoring import VENDOR
from app.web.codes import Code

OWN = [path for path in STATIC.rglob("*") if path.is_file() and not path.is_relative_to(VENDOR)]


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[TestClient]:
    # The page is there before the model is.
    with TestClient(create_app(settings.model_copy(update=more))) as web:
        yield web


@pytest.fixture(scope="module")
def web(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as web:
        yield web


def test_the_root_leads_a_browser_to_the_page_and_no_other_client(web: TestClient) -> None:
    browser = web.get("/", headers={"accept": "text/html,*/*;q=0.8"}, follow_redirects=False)
    assert (browser.status_code, browser.headers["location"]) == (303, "/studio")
    other = web.get("/", headers={"accept": "*/*"})
    assert other.status_code == 404 and other.json()["errors"][0]["code"] == "not-found"


def test_a_proxy_s_path_stands_before_it(settings: Settings) -> None:
    with serving(settings, root_path="/llm") as web:
        answer = web.get("/llm/", headers={"accept": "text/html"}, follow_redirects=False)
        assert answer.headers["location"] == "/llm/studio"
        assert web.get("/llm/studio").text == PAGE and web.get("/llm/studio/main.js").status_code == 200


def test_a_slash_behind_it_leads_to_the_page(web: TestClient, settings: Settings) -> None:
    answer = web.get("/studio/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/studio")
    with serving(settings, root_path="/llm") as proxied:
        assert proxied.get("/llm/studio/", follow_redirects=False).headers["location"] == "/llm/studio"


def test_switched_off_nothing_is_served(settings: Settings) -> None:
    with serving(settings, studio="off") as web:
        for path in ("/", "/studio", "/studio/", "/studio/main.js"):
            assert web.get(path, headers={"accept": "text/html"}).status_code == 404


def test_the_page_runs_its_own_files_alone(web: TestClient) -> None:
    answer = web.get("/studio")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and policy.startswith("default-src 'none'")
    assert len(re.findall(r"'sha256-[^']+'", policy)) == 1
    # The hash is of the text between the tags: another text, another hash.
    assert content_security_policy(PAGE.replace('"htm"', '"other"')) != policy == content_security_policy(PAGE)
    written = "".join(path.read_text(encoding="utf-8") for path in OWN if path.suffix in {".js", ".html"})
    assert not re.search(r"https?://(?!www\.w3\.org/)", written), "something is fetched from elsewhere"
    assert not re.search(r"\bstyle=|\bon\w+=[\"']|\beval\(|new Function", written)


def test_files_are_compressed_and_asked_for_anew(web: TestClient) -> None:
    total = 0
    for path in [*OWN, *(each for each in VENDOR.rglob("*") if each.suffix in {".js", ".mjs", ".css"})]:
        url = "/studio" if path.name == "index.html" else f"/studio/{path.relative_to(STATIC).as_posix()}"
        with web.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
            assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache", url
            total += sum(map(len, answer.iter_raw()))
    assert total < 150_000, "bytes transferred on the first visit"
    tag = web.get("/studio/main.js").headers["etag"]
    assert web.get("/studio/main.js", headers={"if-none-match": tag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/studio/none.js", "/studio/../main.py", "/studio/%2e%2e/routes.py", "/studio/vendor"]
)
def test_nothing_else_is_there(web: TestClient, path: str) -> None:
    assert web.get(path).status_code == 404


def test_own_code_stays_small() -> None:
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in OWN) < 3_000


def keys(name: str) -> list[str]:
    return re.findall(r'"?([\w.-]+)"?: "(?:[^"\\]|\\.)*"', (STATIC / "words" / name).read_text(encoding="utf-8"))


def test_both_languages_have_the_same_words() -> None:
    assert keys("en.js") == keys("zh.js") and len(set(keys("en.js"))) == len(keys("en.js")) > 100


def test_each_code_of_a_fault_has_words() -> None:
    assert {f"code.{code}" for code in Code} <= set(keys("en.js"))


def test_every_word_that_is_used_is_there() -> None:
    sources = [path for path in OWN if path.suffix == ".js" and path.parent.name != "words"]
    used = {key for path in sources for key in re.findall(r'\bt\("([\w.]+)"', path.read_text(encoding="utf-8"))}
    assert len(used) > 90 and used <= set(keys("en.js"))
