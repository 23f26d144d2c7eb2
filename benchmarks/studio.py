"""The studio in a real browser on the real model: how soon it can be used, how smoothly it shows chains, its pictures.

    python -m benchmarks.studio [--output benchmarks/studio.json] [--pictures docs/studio]

Needs Chromium and the extra ``dev``. Pictures are of every page in English and light, and of sentences in Chinese and
dark besides.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from app.studio.routes import STATIC
from app.studio.vendoring import VENDOR
from benchmarks.machine import machine, write
from tests.support.browser import chromium, link, visiting
from tests.support.service_process import service

CHAINS = {"keywords": ["今天", "公园", "散步"], "sampler": {"kind": "metropolis", "chains": 16, "steps": 60}, "seed": 7}
DEFAULT = {"keywords": ["今天", "公园", "散步"], "samples": 3, "seed": 7}

FRAMES = """milliseconds => new Promise((resolve) => {
  const times = [];
  const began = performance.now();
  const frame = (now) => {
    times.push(now);
    if (now - began < milliseconds) requestAnimationFrame(frame);
    else resolve(times);
  };
  requestAnimationFrame(frame);
})"""

DONE = ".results [data-status=done], .results[data-status=done]"
PICTURES: dict[str, tuple[dict[str, Any], str, str]] = {
    # page: its request, what is waited for, and what is opened then
    "write": (
        {
            "keywords": ["children", "snow", "garden"],
            "sampler": {"kind": "metropolis", "chains": 6, "steps": 80},
            "samples": 2,
            "seed": 4,
        },
        DONE,
        "",
    ),
    "write-dark-zh": ({**DEFAULT, "samples": 2, "sampler": {"kind": "annealing", "chains": 4}}, DONE, ""),
    "fill": (
        {
            "text": "She opened the ___ and found ___ inside.",
            "blanks": [{}, {"keywords": ["letter"], "length": {"max": 4}}],
            "samples": 3,
            "seed": 1,
        },
        DONE,
        "",
    ),
    "paraphrase": (
        {"texts": ["Is it possible to live without sleep?"], "keep": ["sleep"], "samples": 3, "seed": 7},
        DONE,
        "",
    ),
    "correct": ({"texts": ["我们昨天去公圆散步，天汽很好。", "She has three book on her desk."]}, DONE, ""),
    "search": ({"index": "demo", "query": "What is the currency of Germny?"}, DONE, "Why?"),
    "score": ({"texts": ["We walk our dog in the park.", "We walk our dog on the park."]}, DONE, ""),
    "jobs": (
        {"text": 'id,keywords\nwalk,"dog, park"\nrain,"rain, window, tea"'},
        "[data-job][data-status=completed] table",
        "",
    ),
    "model": ({}, ".panel", ""),
}


def press_run(page: Page) -> None:
    """Run what is asked."""
    page.locator("button.primary").first.click()


def first_visit(browser: Browser, url: str) -> dict[str, float]:
    """Seconds until the page can be used, and bytes transferred."""
    with visiting(browser, url) as visit:
        page = visit.page
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        received: list[float] = []
        session.on("Network.loadingFinished", lambda each: received.append(each["encodedDataLength"]))
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        began = time.perf_counter()
        page.reload()
        page.wait_for_selector(".state[data-state=ready]")
        page.wait_for_selector("button.primary:enabled")
        usable = time.perf_counter() - began
        page.wait_for_timeout(1500)
        return {"usable_seconds": usable, "transferred_bytes": sum(received)}


def first_edit(browser: Browser, url: str, seed: int) -> float:
    """Seconds from Run to the first sentence of a request that no score is kept of."""
    with visiting(browser, url, link("write", {**DEFAULT, "seed": seed})) as visit:
        visit.page.wait_for_selector(".state[data-state=ready]")
        began = time.perf_counter()
        press_run(visit.page)
        visit.page.wait_for_selector("[data-best]", timeout=120_000)
        return time.perf_counter() - began


def frames(browser: Browser, url: str) -> dict[str, float]:
    """Frames a second while 16 chains run, and the longest time between two."""
    with visiting(browser, url, link("write", CHAINS)) as visit:
        press_run(visit.page)
        visit.page.wait_for_selector(".chains li", timeout=120_000)
        times = visit.page.evaluate(FRAMES, 4000)
        gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
        return {"frames_per_second": 1000 * len(gaps) / sum(gaps), "longest_gap_milliseconds": max(gaps)}


def take_pictures(browser: Browser, url: str, folder: Path) -> None:
    """A picture of every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (request, done, opened) in PICTURES.items():
        page, *other = name.split("-")
        scheme, locale = ("dark", "zh-CN") if other else ("light", "en-US")
        context = {"color_scheme": scheme, "locale": locale, "viewport": {"width": 1200, "height": 800}}
        with visiting(browser, url, link(page, request), **context) as visit:
            visit.page.wait_for_selector(".state[data-state=ready]")
            if request:
                press_run(visit.page)
            visit.page.wait_for_selector(done, timeout=300_000)
            if opened:
                visit.page.get_by_text(opened).first.click()
            visit.page.evaluate("scrollTo(0, 0)")
            visit.page.wait_for_timeout(500)
            visit.page.screenshot(path=folder / f"{name}.png")


def main() -> None:
    """Measure, or take pictures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--output", type=Path, default=Path("benchmarks/studio.json"))
    arguments.add_argument("--pictures", type=Path)
    asked = arguments.parse_args()
    before = machine()
    own = [path for path in STATIC.rglob("*") if path.is_file() and not path.is_relative_to(VENDOR)]
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path("default"), Path(folder), torch_threads="2", cache_dir="") as (_, url),
        sync_playwright() as playwright,
    ):
        browser = chromium(playwright)
        if asked.pictures:
            take_pictures(browser, url, asked.pictures)
            return
        figures = {
            **first_visit(browser, url),
            "first_sentence_seconds": [first_edit(browser, url, seed) for seed in (101, 102, 103)],
            **frames(browser, url),
            "own_lines": sum(len(path.read_text(encoding="utf-8").splitlines()) for path in own),
        }
        write(asked.output, {"machine": before, **figures})


if __name__ == "__main__":
    main()
