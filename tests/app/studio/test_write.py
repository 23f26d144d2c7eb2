"""Sentences are written in the page, by mouse, keyboard and input method."""

from __future__ import annotations

import json
import shlex
from typing import Any

import typer
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from app.cli.options import Options, with_parameters
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences
from tests.support.browser import link, visiting

REQUEST = {
    "keywords": ["今天", "公园"],
    "sampler": {"kind": "metropolis", "chains": 3, "steps": 40},
    "samples": 2,
    "seed": 5,
}

PASTE = """(field, text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""
WITHOUT_DELETED = """node => {
  const copy = node.cloneNode(true);
  copy.querySelectorAll("del").forEach((each) => each.remove());
  return copy.textContent;
}"""


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_selector("[data-status=done]")


def test_chains_are_shown_while_they_run_and_can_be_gone_through(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", REQUEST)) as visit:
        page = visit.page
        run(page)
        assert page.locator("[data-best]").count() == 2
        for text in page.locator("[data-best]").all_inner_texts():
            assert "今天" in text and "公园" in text
        chains = page.locator(".chains li")
        expect(chains).to_have_count(3)
        assert page.locator(".chains .keyword").count() >= 6
        last = chains.all_inner_texts()
        scrub = page.get_by_role("slider", name="Step")
        scrub.fill("0")
        assert chains.all_inner_texts() != last and "first state" in chains.first.inner_text()
        scrub.fill("40")
        assert chains.all_inner_texts() == last
        assert page.locator(".chains ins").count() + page.locator(".chains del").count() > 0
        assert "R-hat" in page.inner_text(".live") and page.locator("[data-verdict]").count() == 1
        visit.assert_for_everyone()


def test_the_chains_of_the_page_are_those_of_the_answer(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", REQUEST)) as visit:
        run(visit.page)
        answer = visit.answer("/v1/sentences", stream=False, select="last")
        ends = {sentence["chain"]: sentence["text"] for sentence in answer["sentences"]}
        for chain, text in ends.items():
            visible = visit.page.locator(".chains li").nth(chain).locator(".marked")
            assert visible.evaluate(WITHOUT_DELETED) == text
        assert ends


def test_a_seed_that_was_drawn_stands_in_the_address_until_the_request_is_another(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", {**REQUEST, "seed": None})) as visit:
        page, seed = visit.page, visit.page.get_by_label("Seed")
        run(page)
        drawn = visit.sent("/v1/sentences")["seed"]
        with visiting(browser, url, page.url.removeprefix(url)) as other:
            expect(other.page.get_by_label("Seed")).to_have_value(str(drawn))
        expect(seed).to_have_value("")
        page.get_by_label("Keep this order").check()
        page.wait_for_function("seed => !location.hash.includes(seed)", arg=str(drawn))


def test_a_whole_run_by_keyboard(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", {**REQUEST, "keywords": []})) as visit:
        page, keys = visit.page, visit.page.keyboard
        keys.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        keys.press("Enter")
        keys.press("Tab")
        field = page.get_by_label("Keywords")
        expect(field).to_be_focused()
        keys.type("公园")
        keys.press("Enter")
        keys.type("今天,散步")
        keys.press("Enter")
        chips = page.locator(".chip .name")
        assert chips.all_inner_texts() == ["公园", "今天", "散步"]
        keys.press("Shift+Tab")
        keys.press("Delete")
        assert chips.all_inner_texts()[:2] == ["公园", "今天"]
        page.locator(".chip .name").first.focus()
        keys.press("Alt+ArrowRight")
        assert chips.all_inner_texts()[:2] == ["今天", "公园"]
        page.get_by_role("button", name="Run", exact=True).focus()
        keys.press("Enter")
        page.wait_for_selector("[data-status=done]")


def test_enter_that_ends_a_composition_ends_no_chip(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", {**REQUEST, "keywords": []})) as visit:
        page = visit.page
        page.get_by_label("Keywords").focus()
        method = page.context.new_cdp_session(page)
        method.send("Input.imeSetComposition", {"text": "gong", "selectionStart": 4, "selectionEnd": 4})
        page.get_by_label("Keywords").dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "isComposing": True})
        assert page.locator(".chip").count() == 0
        method.send("Input.insertText", {"text": "公园"})
        page.keyboard.press("Enter")
        assert page.locator(".chip .name").all_inner_texts() == ["公园"]


def test_a_pasted_list_is_split(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", {**REQUEST, "keywords": []})) as visit:
        visit.page.get_by_label("Keywords").evaluate(PASTE, "今天 公园、散步，学校\n音乐")
        assert visit.page.locator(".chip .name").all_inner_texts() == ["今天", "公园", "散步", "学校", "音乐"]


def test_a_fault_stands_at_its_field(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", {**REQUEST, "forbidden": ["公园"]})) as visit:
        visit.expected.append("422")
        field = visit.page.locator(".field", has_text="Keywords").first
        expect(field.locator(".fault")).to_contain_text("forbidden")


def test_compared_with_one_field_changed(browser: Browser, url: str) -> None:
    with visiting(browser, url, link("write", REQUEST)) as visit:
        page = visit.page
        run(page)
        page.get_by_role("button", name="Compare").click()
        page.get_by_label("Field", exact=True).select_option("sampler.steps")
        page.get_by_label("Its value").fill("5")
        page.get_by_role("button", name="Run beside").click()
        page.wait_for_selector("[data-second] [data-status=done]")
        assert page.locator("[data-second] .chains li").count() == 3
        assert "Step 5 of 5" in page.inner_text("[data-second]")
        visit.assert_for_everyone()


def test_the_request_in_other_forms(browser: Browser, url: str) -> None:
    request = {
        **REQUEST,
        "keywords": ["dog", ["run", "runs"]],
        "length": {"max": 9},
        "ordered": True,
        "forbidden": ["it's"],
    }
    with visiting(browser, url, link("write", request)) as visit:
        visit.page.get_by_text("As curl, Python, command, job").click()

        def form(name: str) -> str:
            title = visit.page.get_by_text(name, exact=True)
            return visit.page.locator(".snippets div", has=title).locator("pre").inner_text()

        assert json.loads(shlex.split(form("curl").replace("\\\n", " "))[-1]) == request
        called: dict[str, Any] = {}
        body = form("Python").split("client.sentences(**")[1].rstrip().removesuffix(")")
        exec(f"called.update({body})", {"called": called})
        assert called == request
        assert json.loads(form("Line of a job")) == {"url": "/v1/sentences", "body": request}
        assert request_of_command(shlex.split(form("Command"))) == SentencesRequest.model_validate(request)


def request_of_command(words: list[str]) -> SentencesRequest:
    """The request that the command line makes of its words."""
    read: list[SentencesRequest] = []
    options = Options(Sentences.request, Sentences.argument, {"stream": None, **Sentences.options})

    def command(**given: Any) -> None:
        read.append(options.read(Sentences.request, given, Sentences.body_of))

    cli = typer.Typer()
    cli.command()(with_parameters(command, options.parameters()))
    answer = CliRunner().invoke(cli, words[2:])
    assert answer.exit_code == 0, answer.output
    return read[0]
