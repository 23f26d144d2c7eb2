"""Questions to an index: why a key was found, the trie walked to it, facts changed in place, a new index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.main import create_app
from app.settings.settings import Settings
from tests.app.tasks.search.test_explain import TOWN, adapter, ranked_adapter
from tests.support import facts
from tests.support.browser import Visit, figure, link, rows, visiting
from tests.support.live import serving

__all__ = ["adapter", "ranked_adapter"]

QUERY = "今天的天气"


@pytest.fixture(scope="module")
def url(settings: Settings, ranked_adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that ranks keys above all by the names that a question misspells."""
    changed = {"retrieval_adapter": str(ranked_adapter), "state_dir": tmp_path_factory.mktemp("search")}
    with serving(create_app(settings.model_copy(update=changed))) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
        yield client


def asking(index: str, query: str = QUERY, **more: Any) -> str:
    return link("search", {"index": index, "query": query, **more})


def ask(visit: Visit, index: str) -> list[dict[str, Any]]:
    """The results of the API, which the page shows."""
    with visit.page.expect_response(f"{visit.url}/v1/indexes/{index}/search"):
        visit.page.get_by_role("button", name="Ask", exact=True).click()
    expect(visit.page.get_by_role("region", name=f"Answers from {index}")).to_be_visible()
    results: list[dict[str, Any]] = visit.answer(f"/v1/indexes/{index}/search")["answers"][0]["results"]
    assert_shown(visit.page, [each["text"] for each in results])
    return results


def assert_shown(page: Page, keys: list[str]) -> None:
    """The keys on the page, best first."""
    expect(page.locator("[data-result]")).to_have_count(len(keys))
    assert [each.get_attribute("data-result") for each in page.locator("[data-result]").all()] == keys


def of_key(page: Page, key: str) -> Locator:
    return page.locator(f'[data-result="{key}"]')


def test_why_a_key_was_found(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.build(client, TOWN)
    with visiting(browser, url, asking(index, query="问朋友师老的天气", n=4)) as visit:
        results = ask(visit, index)
        for result in results:
            shown, why = of_key(visit.page, result["text"]), result["explanation"]
            assert shown.locator(".text").first.inner_text() == " · ".join(result["values"])
            shown.get_by_text("Why?").click()
            tokens = rows(shown.get_by_role("table", name="How the key was written"))
            log_prob = sum(figure(each[1]) for each in tokens)
            assert log_prob == pytest.approx(result["renormalised"], abs=1e-3 * len(tokens))
            assert [int(each[2]) for each in tokens] == [each["allowed"] for each in why["tokens"]]
            features = rows(shown.get_by_role("table", name="What ranked it"))
            assert [each[0] for each in features] == [each["name"] for each in why["features"]]
            figures = [figure(each[3]) for each in features]
            assert figures == pytest.approx([each["contribution"] for each in why["features"]], abs=1e-3)
        question = of_key(visit.page, results[0]["text"]).locator("[data-why] p", has=visit.page.locator(".keyword"))
        assert question.inner_text() == "问朋友师老 → 朋友老师 的天气"
        assert question.locator(".keyword").inner_text() == "朋友师老"
        visit.assert_for_everyone()


def test_the_trie_is_walked_to_a_key(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.build(client)
    with visiting(browser, url, asking(index)) as visit:
        page, tokens = visit.page, list[int]()
        while True:
            node = client.get(f"/v1/indexes/{index}/trie", params={"tokens": ",".join(map(str, tokens))}).json()
            expect(page.locator("[data-trie]")).to_have_attribute("data-trie", node["text"])
            branches = page.locator("[data-branch]")
            expect(branches).to_have_count(len(node["branches"]))
            assert [int(each.locator("small").inner_text()) for each in branches.all()] == [
                each["keys"] for each in node["branches"]
            ]
            if node["complete"]:
                break
            # The branch with the most keys; the page goes on by itself where there is but one.
            branch = max(node["branches"], key=lambda each: each["keys"])["id"]
            page.locator(f'[data-branch="{branch}"]').click()
            tokens.append(branch)
            while not node["complete"]:
                node = client.get(f"/v1/indexes/{index}/trie", params={"tokens": ",".join(map(str, tokens))}).json()
                if node["total"] != 1:
                    break
                tokens.append(node["branches"][0]["id"])
        assert page.locator("[data-values] b").inner_text() == " · ".join(node["values"])
        path = page.get_by_role("navigation", name="Tokens so far").get_by_role("button")
        expect(path).to_have_count(1 + len(tokens))
        path.first.click()
        expect(page.locator("[data-trie]")).to_have_attribute("data-trie", "")
        # From a result there, too.
        result = ask(visit, index)[0]
        of_key(page, result["text"]).get_by_role("button", name="Show in the trie").click()
        expect(page.locator("[data-values]")).to_contain_text(" · ".join(result["values"]))


def test_a_fact_is_added_in_place(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.build(client, ["公园\t时间\t上午"])
    with visiting(browser, url, asking(index)) as visit:
        page, fact = visit.page, visit.page.locator("[data-fact]")
        assert [each["text"] for each in ask(visit, index)] == ["公园 时间"]
        fact.get_by_label("Subject").fill("今天")
        fact.get_by_label("Predicate").fill("天气")
        fact.get_by_label("Values, one a line").fill("晴\n热")
        fact.get_by_role("button", name="Add").click()
        expect(fact.locator("[data-changed]")).to_contain_text("Added 2")
        expect(page.locator("[data-result]")).to_have_count(2)
        assert of_key(page, "今天 天气").locator(".text").first.inner_text() == "晴 · 热"
        assert facts.all_keys(client, index) == {"公园 时间": ["上午"], "今天 天气": ["晴", "热"]}
        expect(page.locator("[data-trie] .facts")).to_contain_text("Keys that begin so: 2")


def test_a_key_is_removed_after_a_question(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.build(client, ["公园\t时间\t上午", "今天\t天气\t晴", "今天\t天气\t热"])
    with visiting(browser, url, asking(index)) as visit:
        page = visit.page
        ask(visit, index)
        values = of_key(page, "今天 天气").locator("details", has_text="Values: add, remove")
        values.locator("summary").click()
        values.get_by_role("button", name="Remove the key").click()
        dialog = page.get_by_role("dialog", name="Remove “今天 天气” with all its values from the index?")
        dialog.get_by_role("button", name="Keep it").click()
        expect(dialog).to_be_hidden()
        assert len(facts.all_keys(client, index)) == 2
        values.get_by_role("button", name="Remove “晴”").click()
        page.get_by_role("dialog").get_by_role("button", name="Remove “晴”").click()
        expect(of_key(page, "今天 天气").locator(".text").first).to_have_text("热")
        assert facts.all_keys(client, index) == {"公园 时间": ["上午"], "今天 天气": ["热"]}
        values.get_by_role("button", name="Remove the key").click()
        dialog.get_by_role("button", name="Remove the key").click()
        expect(of_key(page, "今天 天气")).to_have_count(0)
        assert facts.all_keys(client, index) == {"公园 时间": ["上午"]}


def test_an_index_is_built_of_lines_with_a_malformed_one(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.name()
    with visiting(browser, url, asking(facts.build(client))) as visit:
        page, form = visit.page, visit.page.locator("[data-build]")
        form.get_by_label("Name", exact=True).fill(index)
        form.get_by_label("Lines").fill("今天,天气,晴\n只有两列,天气\ndog,food,water")
        form.get_by_role("button", name="Build", exact=True).click()
        panel = page.get_by_role("region", name=f"Index {index}")
        expect(panel).to_have_attribute("data-index-state", "ready")
        (fault,) = client.get(f"/v1/indexes/{index}").json()["report"]["examples"]
        assert rows(panel.get_by_role("table")) == [[str(fault["line"]), fault["fault"]]] and fault["line"] == 2
        visit.assert_for_everyone()
        assert {each["text"] for each in ask(visit, index)} == {"今天 天气", "dog food"}
        panel.get_by_role("button", name="Delete the index").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete the index").click()
        expect(panel).to_have_count(0)
        assert client.get(f"/v1/indexes/{index}").status_code == 404


def test_a_name_that_no_index_may_have(browser: Browser, url: str, client: httpx.Client) -> None:
    with visiting(browser, url, asking(facts.build(client))) as visit:
        visit.expected.append("422")
        form = visit.page.locator("[data-build]")
        form.get_by_label("Name", exact=True).fill("城市")
        form.get_by_role("button", name="Build", exact=True).click()
        expect(form.locator(".problem")).to_be_visible()
