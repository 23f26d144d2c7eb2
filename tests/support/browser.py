"""A real browser on a page, which notes whatever should not happen there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Nothing but the page itself asks for anything.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


def chromium(playwright: Playwright) -> Browser:
    """The machine's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))


@dataclass
class Visit:
    """A page in a context of its own.

    Attributes:
        page: for the test.
        expected: parts of messages of the console that the test brings about itself.
        messages: errors of the console and of scripts, violations of the content security policy among them.
        elsewhere: URLs asked for beyond the service.
    """

    page: Page
    expected: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What axe-core finds, with the first element of each."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary']}" for each in found
        ]


@contextmanager
def visiting(browser: Browser, url: str, path: str = "/studio", **context: Any) -> Iterator[Visit]:
    """A page of a service at ``url``.

    Raises:
        AssertionError: at the end, if the console had an error, or something was asked for elsewhere.
    """
    with browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 900}} | context) as inside:
        page = inside.new_page()
        visit = Visit(page)

        def requested(request: Request) -> None:
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
