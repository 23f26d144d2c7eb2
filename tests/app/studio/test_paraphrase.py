"""Texts in other words: each beside its source, what is kept marked in both, a run stopped in the middle."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.support.browser import figure, link, visiting

ROUTE = "/v1/paraphrases"
TEXTS = ["今天我们在公园散步。", "老师喜欢音乐，学生喜欢电影。"]
REQUEST = {"texts": TEXTS, "keep": ["公园", "音乐"], "samples": 2, "seed": 5, "similarity": "model"}
SHORT = {"kind": "metropolis", "chains": 2, "steps": 20}
LONG = {"kind": "metropolis", "chains": 8, "steps": 4000}


def test_texts_stand_beside_their_sources(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("paraphrase", {**REQUEST, "sampler": SHORT})) as visit:
        page = visit.page
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_selector(".results[data-status=done]")
        answer = visit.answer(ROUTE, stream=None, trace=None)
        assert [each["source"] for each in answer["paraphrases"]] == TEXTS
        for place, paraphrase in enumerate(answer["paraphrases"]):
            text = page.locator(f'[data-text="{place}"]')
            assert text.locator(".given").inner_text() == TEXTS[place]
            assert text.locator(".given .keyword").all_inner_texts() == paraphrase["kept"] == [REQUEST["keep"][place]]
            found = text.locator("[data-best]")
            assert found.all_inner_texts() == [each["text"] for each in paraphrase["texts"]]
            for row, each in enumerate(paraphrase["texts"]):
                assert set(found.nth(row).locator(".keyword").all_inner_texts()) == set(paraphrase["kept"])
                facts = text.locator(".best .facts").nth(row).inner_text()
                assert f"({round(each['similarity'], 2):g}, the text itself 1)" in facts
                assert figure(facts.split("overlap ")[1].split(")")[0]) == round(each["overlap"], 2)
            left, right = text.locator(".given").bounding_box(), found.first.bounding_box()
            assert left and right and left["x"] + left["width"] <= right["x"]
        assert "language model" in page.inner_text(".results > .hint")
        page.get_by_text("Chains of text 2").click()
        expect(page.locator('[data-text="1"] .chains li')).to_have_count(2)
        visit.assert_for_everyone()


def test_a_run_is_stopped_in_the_middle(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("paraphrase", {**REQUEST, "sampler": LONG})) as visit:
        page = visit.page
        page.get_by_role("button", name="Run", exact=True).click()
        for place in range(2):
            expect(page.locator(f'[data-text="{place}"] [data-best]').first).to_be_visible()
        with page.expect_event("requestfailed", lambda request: request.url.endswith(ROUTE)):
            page.get_by_role("button", name="Stop").click()
        expect(page.locator(".results[data-status=stopped]")).to_be_visible()
        # What was found stays, and the form is there for another run.
        assert page.locator("[data-best]").count() >= 2
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def test_words_that_no_text_has_cannot_be_kept(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("paraphrase", {**REQUEST, "keep": ["城市"]})) as visit:
        visit.expected.append("422")
        expect(visit.page.locator(".field", has_text="Keep these words").locator(".fault")).to_contain_text("城市")
