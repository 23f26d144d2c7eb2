"""Edits of texts are taken and refused, all within the page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Locator, expect

from app.tasks.corrections.edits import applied
from tests.support.browser import Visit, link, visiting

ROUTE = "/v1/corrections"
TEXTS = ["今天我们去公圆散步。", "😀我们的老师喜欢音月，😀不喜欢电影。"]
REQUEST = {"texts": TEXTS, "edits": [{"old": "音月", "new": "音乐"}, {"old": "不喜欢", "new": "很喜欢"}]}


def shown(visit: Visit, place: int) -> Locator:
    return visit.page.locator(f'[data-text="{place}"]')


def result(visit: Visit, place: int) -> Locator:
    """What comes of a text."""
    return shown(visit, place).locator("[data-result]")


def with_edits(correction: dict[str, Any], taken: list[bool]) -> str:
    """A text with some of its edits."""
    edits = [each for each, yes in zip(correction["edits"], taken, strict=True) if yes]
    return applied([(each["start"], each["end"], each["new"]) for each in edits], correction["source"])


def run(visit: Visit) -> list[dict[str, Any]]:
    """The API's own corrections, shown on the page."""
    visit.page.get_by_role("button", name="Run", exact=True).click()
    visit.page.wait_for_selector(".results[data-status=done]")
    corrections: list[dict[str, Any]] = visit.answer(ROUTE, stream=None)["corrections"]
    assert [len(each["edits"]) for each in corrections] == [1, 2]
    return corrections


def test_edits_are_taken_and_refused_without_a_request(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("correct", REQUEST)) as visit:
        corrections = run(visit)
        before = [each.url for each in visit.asked if each.method == "POST"]
        for place, correction in enumerate(corrections):
            changes = [f"{each['old']} → {each['new']}" for each in correction["edits"]]
            assert shown(visit, place).locator("[data-edit] b").all_inner_texts() == changes
            for number, change in enumerate(changes):
                edit = shown(visit, place).get_by_role("group", name=change)
                # Each edit in turn: it alone is taken, the others are refused.
                for each in shown(visit, place).get_by_role("button", name="Refuse", exact=False).all():
                    each.click()
                expect(result(visit, place)).to_have_text(correction["source"])
                expect(shown(visit, place).locator(".given ins")).to_have_count(0)
                edit.get_by_role("button", name="Accept").click()
                expect(edit.get_by_role("button", name="Accept")).to_have_attribute("aria-pressed", "true")
                taken = [number == each for each in range(len(changes))]
                expect(result(visit, place)).to_have_text(with_edits(correction, taken))
                expect(shown(visit, place).locator(".given ins")).to_have_text(correction["edits"][number]["new"])
                expect(shown(visit, place).locator(".given del")).to_have_text(correction["edits"][number]["old"])
        shown(visit, 1).get_by_role("button", name="Accept all").click()
        expect(result(visit, 1)).to_have_text(with_edits(corrections[1], [True, True]))
        assert result(visit, 1).inner_text().count("😀") == 2
        assert [each.url for each in visit.asked if each.method == "POST"] == before
        visit.assert_for_everyone()


def test_the_slider_takes_what_is_as_sure(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("correct", REQUEST)) as visit:
        corrections = run(visit)
        slider = visit.page.get_by_role("slider")
        for confidence in (0.0, 0.65, 0.95, 1.0):
            slider.fill(str(confidence))
            for place, correction in enumerate(corrections):
                taken = [each["confidence"] >= confidence for each in correction["edits"]]
                expect(result(visit, place)).to_have_text(with_edits(correction, taken))
