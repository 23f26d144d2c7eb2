"""Blanks are put into a text and filled, and what stands around them stays."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import link, visiting

SAMPLING = {"sampler": {"kind": "metropolis", "chains": 2, "steps": 20}, "samples": 2, "seed": 5}


def put_blank(page: Page, start: int, end: int) -> None:
    """Press the button with a part of the text chosen."""
    page.get_by_label("Text with blanks").evaluate("(box, ends) => box.setSelectionRange(...ends)", [start, end])
    page.get_by_role("button", name="Put a blank here").click()


def test_a_blank_is_put_in_and_filled(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("fill", {"text": "今天我在散步，天很好。", **SAMPLING})) as visit:
        page = visit.page
        expect(page.locator(".fault")).to_contain_text("no blank yet")
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
        put_blank(page, 4, 4)
        expect(page.get_by_label("Text with blanks")).to_have_value("今天我在___散步，天很好。")
        page.locator("[data-blank]").get_by_label("Words that stand in it").fill("公园")
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_selector("[data-status=done]")
        assert visit.sent("/v1/infills")["blanks"] == [{"keywords": ["公园"]}]
        answer = visit.answer("/v1/infills", stream=None, trace=None)
        shown = page.locator("[data-best]")
        assert shown.all_inner_texts() == [each["text"] for each in answer["infills"]]
        for place, infill in enumerate(answer["infills"]):
            assert shown.nth(place).locator("ins").all_inner_texts() == infill["fills"]
            assert infill["text"] == f"今天我在{infill['fills'][0]}散步，天很好。" and "公园" in infill["fills"][0]
        visit.assert_for_everyone()


def assert_longest(page: Page, *lengths: str) -> None:
    """What each blank may have at most."""
    blanks = page.locator("[data-blank]")
    expect(blanks).to_have_count(len(lengths))
    for place, length in enumerate(lengths):
        expect(blanks.nth(place).get_by_label("At most")).to_have_value(length)


def test_what_is_asked_stays_with_its_blank(browser: Browser, url: str) -> None:
    request = {"text": "We walk in ___.", "blanks": [{"length": {"max": 2}}]}
    with visiting(browser, url, link("fill", request)) as visit:
        page, text = visit.page, visit.page.get_by_label("Text with blanks")
        put_blank(page, 3, 7)
        expect(text).to_have_value("We ___ in ___.")
        assert_longest(page, "", "2")
        # Words are spaced, so a blank after one is too.
        put_blank(page, 2, 2)
        expect(text).to_have_value("We ___ ___ in ___.")
        assert_longest(page, "", "", "2")
        text.fill("In ___.")
        assert_longest(page, "2")
        text.fill("They ran to ___ again!")
        assert_longest(page, "")


def test_a_fault_stands_at_its_blank(browser: Browser, url: str) -> None:
    request = {"text": "今天___，天___。", "blanks": [{}, {"keywords": ["公园"]}], "forbidden": ["公园"]}
    with visiting(browser, url, link("fill", request)) as visit:
        visit.expected.append("422")
        (error,) = visit.page.request.post(f"{url}/v1/infills", data=request).json()["errors"]
        assert error["field"].startswith("blanks[1]")
        expect(visit.page.locator("[data-blank]").nth(1).locator(".fault")).to_contain_text(error["message"])
        expect(visit.page.locator("[data-blank]").nth(0).locator(".fault")).to_have_count(0)
