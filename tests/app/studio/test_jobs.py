"""Jobs of files and pasted lines: mapped, submitted, followed, their results and errors shown, the failed again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.support import facts
from tests.support.browser import Visit, link, rows, visiting

TABLE = '编号,关键词,种子\n甲,"今天,公园",5\n乙,老师 朋友,6\n'
COLUMNS = {"编号": "custom_id", "关键词": "keywords", "种子": "seed"}
SENTENCES: list[dict[str, Any]] = [
    {"custom_id": "甲", "url": "/v1/sentences", "body": {"samples": 2, "keywords": ["今天", "公园"], "seed": 5}},
    {"custom_id": "乙", "url": "/v1/sentences", "body": {"samples": 2, "keywords": ["老师", "朋友"], "seed": 6}},
]
LONG = {"keywords": ["公园"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 4000}, "seed": 1}


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
        yield client


def lines(*items: dict[str, Any]) -> str:
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in items)


def opened(page: Page, status: str) -> Locator:
    """The job that is shown, when it has a status."""
    job = page.locator(f"[data-job][data-status={status}]")
    expect(job).to_be_visible()
    return job


def submit(visit: Visit, text: str, *, skip: bool = False) -> None:
    """Paste items and send them."""
    visit.page.get_by_label("Items", exact=True).fill(text)
    if skip:
        visit.page.get_by_label("If an item is wrong").select_option("skip")
    visit.page.get_by_role("button", name="Submit as a job").click()


def id_of(job: Locator) -> str:
    found = job.get_attribute("data-job")
    assert found
    return found


def told(client: httpx.Client, job: str, kind: str) -> list[dict[str, Any]]:
    """Results or errors, as the API has them."""
    return [json.loads(line) for line in client.get(f"/v1/jobs/{job}/{kind}").text.splitlines()]


def chosen(page: Page, encoding: str) -> None:
    """Choose a file of the table; its columns are told by their header."""
    file = FilePayload(name="关键词.csv", mimeType="text/csv", buffer=TABLE.encode(encoding))
    page.locator("input[type=file]").set_input_files([file])
    columns = page.get_by_role("table", name="每一列的内容")
    for name, field in COLUMNS.items():
        expect(columns.get_by_label(f"“{name}”列对应的字段")).to_have_value(field)
    page.get_by_label("句数").fill("2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_columns_of_a_table_with_a_chinese_header(browser: Browser, url: str, encoding: str) -> None:
    with visiting(browser, url, "/studio#jobs", locale="zh-CN") as visit:
        chosen(visit.page, encoding)
        preview = visit.page.locator("[data-preview]")
        assert [json.loads(line) for line in preview.inner_text().splitlines()] == SENTENCES


def test_a_table_is_a_job(browser: Browser, url: str, client: httpx.Client) -> None:
    with visiting(browser, url, "/studio#jobs", locale="zh-CN") as visit:
        page = visit.page
        chosen(page, "gbk")
        page.get_by_role("button", name="提交任务").click()
        job = opened(page, "completed")
        results = told(client, id_of(job), "results")
        expect(job.locator("progress")).to_have_attribute("value", "1")
        expect(job.locator("tbody tr")).to_have_count(len(SENTENCES))
        for row, item, result in zip(rows(job.get_by_role("table")), SENTENCES, results, strict=True):
            answer = client.post(item["url"], json=item["body"]).json()
            assert result["response"]["body"]["sentences"] == answer["sentences"]
            assert row == [item["custom_id"], "\n\n".join(each["text"] for each in answer["sentences"])]
        visit.assert_for_everyone()


def test_the_failed_are_told_by_code_and_run_again(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.name()
    score = {"custom_id": "good", "url": "/v1/score", "body": {"texts": ["今天我去公园散步。"]}}
    search = {"custom_id": "early", "url": f"/v1/indexes/{index}/search", "body": {"query": "今天", "n": 1}}
    with visiting(browser, url, "/studio#jobs") as visit:
        page = visit.page
        submit(visit, lines(score, search), skip=True)
        job = opened(page, "completed")
        first = id_of(job)
        (error,) = told(client, first, "errors")
        fault = error["response"]["body"]["errors"][0]
        assert fault["code"] == "not-found"
        errors = job.locator("[data-errors] li")
        expect(errors).to_have_count(1)
        assert "× 1: early" in errors.inner_text() and fault["message"] in errors.inner_text()
        visit.assert_for_everyone()
        # Another tab has the link, but not the items.
        with visiting(browser, url, link("jobs", {"job": first})) as other:
            expect(opened(other.page, "completed")).to_contain_text("does not have the items")
            expect(other.page.get_by_role("button", name="Retry them as a new job")).to_have_count(0)
        # What was missing is there now, so the failed item alone runs through.
        facts.build(client, index=index)
        job.get_by_role("button", name="Retry them as a new job").click()
        again = page.locator(f"[data-job][data-status=completed]:not([data-job={first}])")
        expect(again).to_be_visible()
        (result,) = told(client, id_of(again), "results")
        assert result["custom_id"] == "early"
        (key,) = result["response"]["body"]["answers"][0]["results"]
        assert key["text"] in again.get_by_role("table").inner_text()
        expect(again.locator("[data-errors]")).to_have_count(0)


def test_a_job_is_found_by_its_link_after_a_reload(browser: Browser, url: str, client: httpx.Client) -> None:
    with visiting(browser, url, "/studio#jobs") as visit:
        page = visit.page
        submit(visit, lines(*SENTENCES))
        job = id_of(opened(page, "completed"))
        page.reload()
        shown = opened(page, "completed")
        assert id_of(shown) == job
        expect(shown.get_by_role("table")).to_contain_text("甲")
        with page.expect_download() as download:
            shown.get_by_role("button", name="Save all as a file").click()
        assert download.value.suggested_filename == f"{job}-results.jsonl"
        saved = download.value.path().read_text(encoding="utf-8")
        assert saved == client.get(f"/v1/jobs/{job}/results?download=true").text and saved.count("\n") == 2
        (worker,) = client.get("/v1/workers").json()["workers"]
        workers = page.locator("[data-workers] table")
        expect(workers).to_contain_text("working")
        assert rows(workers)[0][0] == f"{worker['host']} · {worker['pid']}"
        shown.get_by_role("button", name="Delete the job").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete the job").click()
        expect(shown).to_have_count(0)
        assert client.get(f"/v1/jobs/{job}").status_code == 404


def test_a_job_is_cancelled_and_what_was_left_is_mended(browser: Browser, url: str, client: httpx.Client) -> None:
    with visiting(browser, url, "/studio#jobs") as visit:
        page = visit.page
        long = {"custom_id": "long", "url": "/v1/sentences", "body": LONG}
        submit(visit, lines(long))
        opened(page, "in_progress").get_by_role("button", name="Cancel the job").click()
        job = opened(page, "cancelled")
        assert [each["error"]["code"] for each in told(client, id_of(job), "errors")] == ["job_cancelled"]
        expect(job.locator("[data-errors]")).to_contain_text("long")
        page.get_by_label("Items", exact=True).fill("")
        job.get_by_role("button", name="Mend them in the form").click()
        expect(page.get_by_label("Items", exact=True)).to_have_value(lines(long))


def test_lines_without_a_route_get_that_of_the_task(browser: Browser, url: str, client: httpx.Client) -> None:
    index = facts.build(client)
    bodies = [{"query": "今天"}, {"query": "公园", "n": 1}]
    with visiting(browser, url, link("jobs", {"text": lines(*bodies)})) as visit:
        page = visit.page
        preview = page.locator("[data-preview]")
        for task, route in (("Score", "/v1/score"), ("Search", f"/v1/indexes/{index}/search")):
            page.get_by_label("Task").select_option(task)
            if task == "Search":
                page.get_by_label("Index", exact=True).select_option(index)
            expect(preview).to_contain_text(f'"url":"{route}"')
            items = [json.loads(line) for line in preview.inner_text().splitlines()]
            assert items == [{"url": route, "body": body} for body in bodies]


def test_one_wrong_item_refuses_all_by_its_line(browser: Browser, url: str) -> None:
    with visiting(browser, url, "/studio#jobs") as visit:
        visit.expected.append("422")
        submit(visit, lines(SENTENCES[0], {"url": "/v1/sentences", "body": {"keywords": []}}))
        expect(visit.page.locator(".problem code")).to_have_text("line 2: body.keywords")
        expect(visit.page.locator("[data-job]")).to_have_count(0)
