"""Every page, in both languages and themes, wide and narrow, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import figure, rows, visiting

PAGES = ("write", "fill", "paraphrase", "correct", "search", "score", "jobs", "model")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_page_in_a_language(browser: Browser, url: str, page: str, locale: str) -> None:
    with visiting(browser, url, f"/studio#{page}", locale=locale) as visit:
        assert visit.page.get_attribute("html", "lang") == locale[:2]
        assert visit.page.get_attribute("nav a[aria-current=page]", "href") == f"#{page}"
        visit.page.wait_for_selector(".state[data-state=ready]")
        # No key of the dictionaries is left where its words should stand.
        assert not re.findall(r"(?<![./])\b[a-z_]+\.[a-z_]+\b(?![(/])", visit.page.inner_text("body"))
        visit.assert_for_everyone()


def test_language_and_theme_are_switched_and_kept(browser: Browser, url: str) -> None:
    with visiting(browser, url) as visit:
        expect(visit.page.locator(".chip .name")).to_have_text(["children", "snow", "garden"])
        visit.page.get_by_role("button", name="中文").click()
        assert visit.page.inner_text("h1") == "造句"
        expect(visit.page.locator(".chip .name")).to_have_text(["今天", "公园", "散步"])
        visit.page.get_by_role("button", name="深色").click()
        visit.page.reload()
        assert visit.page.inner_text("h1") == "造句"
        assert visit.page.get_attribute("html", "data-theme") == "dark"


def test_the_model_s_figures_are_those_of_the_api(browser: Browser, url: str) -> None:
    with visiting(browser, url, "/studio#model") as visit:
        card = dict(rows(visit.page.locator("[data-card] table").first))
        known = visit.page.request.get(f"{url}/v1/models").json()
        (model,) = known["models"]
        for label, name in (("Name", "name"), ("Fingerprint", "fingerprint"), ("Precision", "precision")):
            assert card[label] == model[name]
        for label, name in (("Parameters", "parameters"), ("Tokens at most", "max_context")):
            assert figure(card[label]) == model[name]
        limits = dict(rows(visit.page.get_by_role("region", name="Limits of a request").get_by_role("table")))
        assert {name: figure(value) for name, value in limits.items()} == {
            f"CHAINWRIGHT_{name.upper()}": value for name, value in known["limits"].items()
        }
