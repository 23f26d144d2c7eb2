"""A real browser on a page, which notes whatever should not happen there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Playwright, Request, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Nothing but the page itself asks for anything.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)

Scheme = Literal["light", "dark"]


# Long enough for any machine, so that what never comes is told from what is slow.
PATIENCE_MILLISECONDS = 300_000


def chromium(playwright: Playwright) -> Browser:
    """The machine's Chromium."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))


def link(page: str, state: object) -> str:
    """Where a page of the studio has a state, such as a request."""
    return f"/studio#{page}?{quote(json.dumps(state))}"


def figure(text: str) -> float:
    """A number as the page writes it in English."""
    return float(text.replace(",", ""))


def rows(table: Locator) -> list[list[str]]:
    """The cells of a table's body, once it is there."""
    table.wait_for()
    return [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]


@dataclass
class Visit:
    """A page in a context of its own.

    Attributes:
        page: for the test.
        url: of the service.
        asked: requests of the page so far.
        expected: parts of messages of the console that the test brings about itself.
        messages: errors of the console and of scripts, violations of the content security policy among them.
        elsewhere: URLs asked for beyond the service.
    """

    page: Page
    url: str
    asked: list[Request] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What axe-core finds, with the first element of each."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}" for each in found
        ]

    def sent(self, path: str) -> dict[str, Any]:
        """The body of the page's last request to a route that was no dry run."""
        posted = [each for each in self.asked if each.method == "POST" and each.url == self.url + path]
        bodies: list[dict[str, Any]] = [json.loads(each.post_data or "{}") for each in posted]
        return [body for body in bodies if not body.get("dry_run")][-1]

    def answer(self, path: str, **changed: Any) -> dict[str, Any]:
        """The API's own answer to the last request of the page, but for some fields, None for those to be left out."""
        body = {name: value for name, value in (self.sent(path) | changed).items() if value is not None}
        answer: dict[str, Any] = self.page.request.post(self.url + path, data=body).json()
        return answer

    def assert_for_everyone(self) -> None:
        """Nothing for axe-core to find in either theme, nor to scroll sideways for on a telephone."""
        schemes: tuple[Scheme, ...] = ("light", "dark")
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
            found = self.violations()
            assert not found, (scheme, *found)
        self.page.set_viewport_size({"width": 360, "height": 700})
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 360


@contextmanager
def visiting(browser: Browser, url: str, path: str = "/studio", **context: Any) -> Iterator[Visit]:
    """A page of a service at ``url``.

    Raises:
        AssertionError: at the end, if the console had an error, or something was asked for elsewhere.
    """
    with browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 900}} | context) as inside:
        page = inside.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        visit = Visit(page, url)

        def requested(request: Request) -> None:
            visit.asked.append(request)
            if not request.url.startswith((url, "data:", "blob:")):
                visit.elsewhere.append(request.url)

        page.on("request", requested)
        page.on("console", lambda message: visit.messages.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: visit.messages.append(str(error)))
        page.goto(f"{url}{path}")
        page.wait_for_selector("main h1")
        yield visit
        page.wait_for_timeout(50)
        unexpected = [text for text in visit.messages if not any(part in text for part in visit.expected)]
        assert not unexpected and not visit.elsewhere, (unexpected, visit.elsewhere)
