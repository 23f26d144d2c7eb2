"""A newcomer's twenty tasks in the studio, in a real browser on the real model, each by what the page says on its face.

    python -m benchmarks.newcomer [--output benchmarks/newcomer.json] [--pictures docs/newcomer]

Needs Chromium and the extra ``dev``. Each task begins on the page as it is when it is first opened. When a task is
done: docs/newcomer.md.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from benchmarks.machine import machine, write
from tests.support.browser import chromium, visiting
from tests.support.service_process import service

CONTEXT: dict[str, Any] = {
    "viewport": {"width": 1040, "height": 680},
    "permissions": ["clipboard-read", "clipboard-write"],
}
PATIENCE_MILLISECONDS = 180_000

Task = Callable[[Page], Locator]
"""Does something on the page and looks whether it is done: the part of the page that shows it.

Raises:
    AssertionError: it is not done.
"""

TASKS: dict[str, Task] = {}


def task(name: str) -> Callable[[Task], Task]:
    """Give a task its name; they are done in the order in which they stand here."""

    def named(do: Task) -> Task:
        TASKS[name] = do
        return do

    return named


def open_page(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def enter(page: Page, label: str, *words: str) -> None:
    """Write words into a field of words, each ended by Enter."""
    page.get_by_label(label, exact=True).click()
    for word in words:
        page.keyboard.type(word)
        page.keyboard.press("Enter")


def keywords(page: Page, *words: str) -> None:
    """Other keywords in the place of those of the example."""
    expect(page.get_by_label("Keywords")).to_be_visible()
    while page.get_by_role("button", name="Remove").count():
        page.get_by_role("button", name="Remove").first.click()
    enter(page, "Keywords", *words)


def small(page: Page, chains: int = 4, steps: int = 20, sampler: str = "") -> None:
    """A request that takes a slow machine seconds; its seed makes the pictures what they are."""
    if sampler:
        page.get_by_label("Sampler").select_option(label=sampler)
    page.get_by_label("Chains").fill(str(chains))
    page.get_by_label("Steps").fill(str(steps))
    page.get_by_label("Seed").fill("2")


METROPOLIS = "metropolis: sample the law"


def run(page: Page) -> Locator:
    """Press Run, and wait until the work is done; the panel of what was found."""
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile("^done in"))).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    return panel(page, "Found")


def panel(page: Page, title: str) -> Locator:
    """The part of the page under a heading."""
    return page.get_by_role("region", name=title, exact=True)


def texts(found: Locator) -> list[str]:
    """The sentences that were found."""
    return found.locator("[data-best]").all_inner_texts()


def words_of(text: str) -> list[str]:
    """A sentence's words in lower case."""
    return re.findall(r"[a-z']+", text.lower())


@task("write")
def write_sentences(page: Page) -> Locator:
    """Sentences with three Chinese words, on the English page."""
    keywords(page, "今天", "公园", "散步")
    small(page)
    found = run(page)
    assert len(texts(found)) == 3
    assert all(word in text for text in texts(found) for word in ("今天", "公园", "散步"))
    return page.get_by_role("banner")


@task("paste")
def paste(page: Page) -> Locator:
    """A list of words from elsewhere."""
    keywords(page)
    page.evaluate("text => navigator.clipboard.writeText(text)", "今天 公园、散步，朋友\n咖啡")
    page.get_by_label("Keywords").click()
    page.keyboard.press("Control+V")
    for word in ("今天", "公园", "散步", "朋友", "咖啡"):
        expect(page.get_by_role("button", name=word, exact=True)).to_be_visible()
    return page.get_by_role("banner")


@task("forms")
def forms(page: Page) -> Locator:
    """A keyword that may have several forms."""
    keywords(page, "dog", "run|runs|running", "garden")
    small(page)
    found = run(page)
    assert texts(found) and all({"run", "runs", "running"} & set(words_of(text)) for text in texts(found))
    expect(page.get_by_role("button", name="run|runs|running", exact=True)).to_be_visible()
    return page.get_by_role("banner")


@task("forbid")
def forbid(page: Page) -> Locator:
    """Words that no sentence has."""
    enter(page, "Forbidden words", "play", "playing")
    small(page)
    found = run(page)
    assert texts(found) and not any({"play", "playing"} & set(words_of(text)) for text in texts(found))
    return page.get_by_role("banner")


@task("short")
def short(page: Page) -> Locator:
    """Few words."""
    page.get_by_label("At most", exact=True).fill("9")
    small(page)
    found = run(page)
    assert texts(found) and all(len(words_of(text)) <= 9 for text in texts(found))
    return page.get_by_role("banner")


@task("order")
def order(page: Page) -> Locator:
    """The keywords as they are written down."""
    keywords(page, "散步", "公园", "今天")
    page.get_by_label("Keep this order").check()
    small(page)
    found = run(page)
    assert texts(found) and all(re.search("散步.*公园.*今天", text) for text in texts(found))
    return page.get_by_role("banner")


@task("steps")
def step_by_step(page: Page) -> Locator:
    """One chain from its last state back to its first."""
    small(page, 6, 60, METROPOLIS)
    run(page)
    chains = panel(page, "Chains")
    slider = chains.get_by_role("slider")
    first = chains.get_by_role("listitem").first
    last = first.inner_text()
    slider.focus()
    page.keyboard.press("Home")
    expect(first).to_contain_text("first state")
    assert first.inner_text() != last
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect(chains.get_by_text("Step 30 of 60")).to_be_visible()
    return chains


@task("law")
def law(page: Page) -> Locator:
    """Sampling in the place of a search, with its law."""
    small(page, 4, 20, METROPOLIS)
    expect(page.get_by_text("x ~ p(x | context)^β")).to_be_visible()
    run(page)
    return page.get_by_label("Sampler")


@task("compare")
def compare(page: Page) -> Locator:
    """Two samplers on the same seed."""
    small(page)
    run(page)
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("Its value").select_option("metropolis")
    page.get_by_role("button", name="Run beside").click()
    second = panel(page, "Found · sampler.kind = metropolis")
    expect(second).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    assert texts(second) and texts(panel(page, "Found"))
    differences = page.get_by_role("table", name="What differs")
    expect(differences.get_by_role("row").nth(1)).to_be_visible()
    return panel(page, "Found")


@task("rhat")
def rhat(page: Page) -> Locator:
    """R-hat and what it means."""
    small(page, 4, 40, METROPOLIS)
    run(page)
    trusted = panel(page, "Can the chains be trusted?")
    expect(trusted.get_by_role("row", name=re.compile(r"^R-hat \d"))).to_be_visible()
    expect(trusted).to_contain_text("R-hat near 1")
    return trusted


@task("again")
def again(page: Page) -> Locator:
    """The same sentences by the same address, with a seed that the page drew."""
    small(page)
    page.get_by_label("Seed").fill("")
    before = texts(run(page))
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    assert len(before) == 3 and texts(run(page)) == before
    return page.get_by_role("banner")


@task("program")
def program(page: Page) -> Locator:
    """The request in other forms, to be copied."""
    page.get_by_text("As curl, Python, command, job").click()
    for copied in ("curl -s", "from chainwright_client", "chainwright sentences", '{"url"'):
        form = page.locator(".snippets div", has=page.get_by_text(copied))
        form.get_by_role("button", name="Copy").click()
        expect(form.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").startswith(copied)
    return page.get_by_text("Python", exact=True)


@task("mend")
def mend(page: Page) -> Locator:
    """A field that says what is wrong and what mends it, which does."""
    enter(page, "Forbidden words", "snow")
    fault = page.get_by_role("alert")
    expect(fault).to_have_text(re.compile("^'snow' is the forbidden word .*Take the word out of one of the two.$"))
    page.get_by_role("button", name="Remove snow").last.click()
    expect(fault).to_have_count(0)
    enter(page, "Forbidden words", "snow")
    expect(fault).to_have_count(1)
    return page.get_by_role("banner")


@task("fill")
def fill(page: Page) -> Locator:
    """A blank that is filled, between what stands as it was."""
    open_page(page, "Fill in")
    page.get_by_label("Text with blanks").fill("我们昨天在___散步。")
    small(page)
    found = run(page)
    assert texts(found) and all(re.fullmatch("我们昨天在.+散步。", text) for text in texts(found))
    return page.get_by_role("banner")


@task("paraphrase")
def paraphrase(page: Page) -> Locator:
    """Other words for a sentence, and one that is kept."""
    open_page(page, "Paraphrase")
    page.get_by_label("Texts").fill("Is it possible to live without sleep?")
    page.get_by_role("button", name="Remove").click()
    enter(page, "Keep these words", "sleep")
    small(page)
    run(page)
    found = panel(page, "In other words: text 1")
    assert texts(found) and all("sleep" in words_of(text) for text in texts(found))
    return page.get_by_role("banner")


@task("correct")
def correct(page: Page) -> Locator:
    """All edits of a text but one."""
    open_page(page, "Correct")
    page.get_by_label("Texts").fill("我们昨天去公圆散步，天汽很好。")
    run(page)
    page.get_by_role("group", name="圆 → 园").get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("我们昨天去公圆散步，天气很好。", exact=True)).to_be_visible()
    return page.get_by_role("banner")


@task("search")
def search(page: Page) -> Locator:
    """An answer of the demo index, and why it was given."""
    open_page(page, "Search")
    page.get_by_role("button", name="What language is spoken in Peru?").click()
    answers = panel(page, "Answers from demo")
    first = answers.get_by_role("listitem").first
    expect(first).to_contain_text("Spanish", timeout=PATIENCE_MILLISECONDS)
    first.get_by_text("Why?").click()
    table = first.get_by_role("table", name="How the key was written")
    expect(table.get_by_role("columnheader", name="Branches allowed")).to_be_visible()
    assert table.get_by_role("row").count() > 2
    return page.get_by_role("banner")


@task("score")
def score(page: Page) -> Locator:
    """The least likely token of a text, and what was likelier in its place."""
    open_page(page, "Score")
    page.get_by_label("Text", exact=True).fill("我们昨天去公园散雨。")
    page.get_by_label("Another, to compare").fill("")
    page.get_by_role("button", name="Score", exact=True).click()
    tokens = panel(page, "How likely").get_by_role("list").get_by_role("button")
    expect(tokens.first).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    figures = [float(text.split()[-1]) for text in tokens.all_inner_texts()]
    least = tokens.nth(figures.index(min(figures)))
    least.click()
    expect(least).to_contain_text("雨")
    likeliest = page.get_by_role("table", name="Likeliest here").get_by_role("row").nth(1)
    expect(likeliest).to_contain_text("步")
    return page.get_by_role("banner")


@task("job")
def job(page: Page) -> Locator:
    """A table that is worked off."""
    open_page(page, "Jobs")
    page.get_by_label("Items", exact=True).fill('id,keywords\nwalk,"dog, park"\nrain,"rain, window, tea"\n')
    page.get_by_role("button", name="Submit as a job").click()
    results = panel(page, "Job").get_by_role("table", name=re.compile("^Results: 2"))
    expect(results.get_by_role("row")).to_have_count(3, timeout=PATIENCE_MILLISECONDS)
    return page.get_by_role("banner")


@task("chinese-dark")
def chinese_and_dark(page: Page) -> Locator:
    """Another language and theme, and sentences in them."""
    page.get_by_role("button", name="中文").click()
    page.get_by_role("button", name="深色").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("造句")
    assert page.get_attribute("html", "data-theme") == "dark"
    for label, figure in (("链数", "4"), ("步数", "20"), ("种子", "2")):
        page.get_by_label(label).fill(figure)
    page.get_by_role("button", name="运行", exact=True).click()
    expect(page.get_by_text(re.compile("^完成，用时"))).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    assert all("今天" in text for text in texts(panel(page, "结果")))
    return page.get_by_role("banner")


def attempt(browser: Browser, url: str, do: Task, picture: Path) -> dict[str, Any]:
    """Do a task on a fresh page and take a picture of what shows it."""
    began = time.perf_counter()
    with visiting(browser, url, **CONTEXT) as visit:
        visit.expected.append("422")
        expect(visit.page.get_by_text("● ready")).to_be_visible()
        why: dict[str, str] = {}
        try:
            do(visit.page).evaluate("each => each.scrollIntoView({ block: 'start' })")
        except (AssertionError, Error) as error:
            why = {"why": str(error).partition("\n")[0]}
        seconds = time.perf_counter() - began
        visit.page.wait_for_timeout(200)
        visit.page.screenshot(path=picture)
    return {"done": not why, "seconds": seconds, **why}


def main() -> None:
    """Do all, and write what was done."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, default=Path("benchmarks/newcomer.json"))
    arguments.add_argument("--pictures", type=Path, default=Path("docs/newcomer"))
    asked = arguments.parse_args()
    asked.pictures.mkdir(parents=True, exist_ok=True)
    before = machine()
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path("default"), Path(folder), torch_threads="2", cache_dir="") as (_, url),
        sync_playwright() as playwright,
    ):
        browser = chromium(playwright)
        done = {}
        for number, (name, do) in enumerate(TASKS.items(), 1):
            done[name] = attempt(browser, url, do, asked.pictures / f"{number:02}-{name}.png")
            print(f"{number:2} {name:12} {done[name]}", flush=True)
        write(asked.output, {"machine": before, "tasks": done})


if __name__ == "__main__":
    main()
