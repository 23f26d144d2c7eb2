"""What the page says and does when the service leaves, refuses a key, or asks to wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.main import create_app
from app.settings.settings import Limits, Settings
from app.web.access.keys import create_key
from tests.support.browser import link, visiting
from tests.support.live import serving, until
from tests.support.service_process import service

LONG = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 4000}, "seed": 5}


def test_a_run_goes_on_when_a_killed_service_is_back(browser: Browser, model_folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with service(model_folder, first) as (process, url):
        port = url.rpartition(":")[2]
        with visiting(browser, url, link("write", LONG)) as visit:
            visit.expected += ["ERR_", "Failed to load"]
            page = visit.page
            page.get_by_role("button", name="Run", exact=True).click()
            page.wait_for_selector(".chains li")
            process.kill()
            page.wait_for_selector("[data-status=away]")
            expect(page.locator(".live .problem")).to_contain_text("goes on by itself")
            expect(page.locator(".state")).to_contain_text("not reached")
            with service(model_folder, second, url, port=port):
                page.wait_for_selector("[data-status=running]")
                page.wait_for_selector(".chains li")
                expect(page.locator(".live .problem")).to_have_count(0)
                page.get_by_role("button", name="Stop").click()
                page.wait_for_selector("[data-status=stopped]")


def test_a_wrong_key_is_told_and_the_right_one_used(browser: Browser, settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    token = create_key(keys, "team")[1]
    app = create_app(settings.model_copy(update={"state_dir": tmp_path, "keys_file": keys}))
    with serving(app) as url, visiting(browser, url) as visit:
        visit.expected.append("401")
        field = visit.page.locator(".key .field")
        expect(field.locator(".fault")).to_contain_text("needs a key")
        assert visit.violations() == []
        for key in ("wrong", token):
            field.get_by_label("API key").fill(key)
            visit.page.get_by_role("button", name="Use").click()
            visit.page.get_by_role("button", name="Run", exact=True).click()
            if key == "wrong":
                expect(field.locator(".fault")).to_contain_text("refuses this key")
        visit.page.wait_for_selector("[data-best]")
        assert visit.page.evaluate("[sessionStorage.getItem('key'), localStorage.getItem('key')]") == [token, None]
        assert token not in visit.page.url


def test_a_wait_is_counted_down(browser: Browser, settings: Settings, tmp_path: Path) -> None:
    limits = Limits(max_running=1, max_waiting=0)
    app = create_app(settings.model_copy(update={"state_dir": tmp_path, "limits": limits}))
    with serving(app) as url:
        pages = link("write", LONG)
        with visiting(browser, url, pages) as busy, visiting(browser, url, pages) as visit:
            busy.page.get_by_role("button", name="Run", exact=True).click()
            busy.page.wait_for_selector(".chains li")
            visit.expected.append("429")
            visit.page.get_by_role("button", name="Run", exact=True).click()
            problem = visit.page.locator(".live .problem")
            expect(problem).to_contain_text("Too many requests")
            expect(problem).to_contain_text("asks to wait")
            busy.page.get_by_role("button", name="Stop").click()
            until(lambda: app.state.loading.engine.admission.present == 0)  # it has heard that the client left
            retry = problem.get_by_role("button", name="Try again")
            expect(retry).to_be_enabled()
            retry.click()
            visit.page.wait_for_selector(".chains li")


@pytest.mark.parametrize("link", ["#write?%7Bcut", "#nothing", "#write?%E0%A4%A"])
def test_a_broken_link_shows_the_page_as_new(browser: Browser, url: str, link: str) -> None:
    with visiting(browser, url, f"/studio{link}") as visit:
        assert visit.page.locator(".chip").count() == 3
