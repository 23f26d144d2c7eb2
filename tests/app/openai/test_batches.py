"""Batches by OpenAI's own client: a hundred lines there and back, cancelled ones, lists."""

from __future__ import annotations

from pathlib import Path

import httpx
import openai
import pytest
from openai import OpenAI

from app.settings.settings import Settings
from app.web.access.keys import create_key
from tests.app.openai.stock import client_of, content, done, jsonl, line, score, serving_queue, slow, submitted


def test_a_batch_of_a_hundred(stock: OpenAI, http: httpx.Client) -> None:
    lines = [score(f"c{number}", "今天。" if number % 2 else "今天我们去公园散步。") for number in range(98)]
    bad = [line("no-texts", {"texts": []}), line("unknown", {"text": "今天。"})]
    batch = submitted(stock, [*lines[:50], *bad, *lines[50:]], metadata={"owner": "园丁"})
    assert batch.status in ("validating", "in_progress") and batch.output_file_id is batch.error_file_id is None
    assert (batch.endpoint, batch.completion_window, batch.metadata) == ("/v1/score", "24h", {"owner": "园丁"})
    assert batch.expires_at == batch.created_at + 86_400
    stock.files.delete(batch.input_file_id)  # its lines are the batch's by now
    batch = done(stock, batch.id)
    assert batch.status == "completed" and batch.errors is None and batch.request_counts is not None
    assert batch.request_counts.model_dump() == {"total": 100, "completed": 98, "failed": 2}
    assert batch.in_progress_at and batch.finalizing_at and batch.completed_at
    results = content(stock, batch.output_file_id)
    assert [each["custom_id"] for each in results] == [each["custom_id"] for each in lines]
    for each in results:
        assert set(each) == {"id", "custom_id", "response", "error"} and each["error"] is None
        assert set(each["response"]) == {"status_code", "request_id", "body"}
        assert each["response"]["status_code"] == 200 and each["response"]["request_id"] == each["id"]
    asked = {each["custom_id"]: each["body"] for each in lines}
    assert http.post("/v1/score", json=asked["c0"]).json()["scores"] == results[0]["response"]["body"]["scores"]
    errors = content(stock, batch.error_file_id)
    assert [(each["custom_id"], each["response"]["status_code"]) for each in errors] == [
        ("no-texts", 422),
        ("unknown", 422),
    ]
    assert [each["field"] for each in errors[1]["response"]["body"]["errors"]] == ["body.texts", "body.text"]


def test_a_batch_is_the_job_of_its_id(stock: OpenAI, http: httpx.Client) -> None:
    batch = done(stock, submitted(stock, [score("a"), score("b")]).id)
    job = http.get(f"/v1/jobs/{batch.id}").json()
    assert batch.request_counts is not None
    assert job["status"] == "completed" and job["request_counts"] == batch.request_counts.model_dump()
    assert http.get(f"/v1/jobs/{batch.id}/results").content == stock.files.content(batch.output_file_id or "").content
    assert http.delete(f"/v1/jobs/{batch.id}").status_code == 204
    for gone in (lambda: stock.batches.retrieve(batch.id), lambda: stock.files.retrieve(batch.output_file_id or "")):
        with pytest.raises(openai.NotFoundError):
            gone()
    assert batch.id not in [each.id for each in stock.batches.list()]


def test_a_plain_job_is_no_batch(stock: OpenAI, http: httpx.Client) -> None:
    job = http.post("/v1/jobs", json={"url": "/v1/score", "bodies": [{"texts": ["今天。"]}]}).json()
    with pytest.raises(openai.NotFoundError, match="there is no batch"):
        stock.batches.retrieve(job["id"])
    assert job["id"] not in [each.id for each in stock.batches.list()]


def test_a_cancelled_batch(stock: OpenAI) -> None:
    batch = submitted(stock, [slow(f"s{number}") for number in range(20)])
    assert stock.batches.cancel(batch.id).status in ("cancelling", "cancelled")
    batch = done(stock, batch.id)
    assert batch.status == "cancelled" and batch.cancelling_at and batch.cancelled_at
    assert stock.batches.cancel(batch.id).status == "cancelled"
    errors = content(stock, batch.error_file_id)
    assert {each["error"]["code"] for each in errors} == {"job_cancelled"}
    assert stock.files.retrieve(batch.error_file_id or "").bytes == len(
        stock.files.content(batch.error_file_id or "").content
    )
    over = done(stock, submitted(stock, [score("a")]).id)
    with pytest.raises(openai.UnprocessableEntityError, match="has ended: it is completed"):
        stock.batches.cancel(over.id)


def test_batches_are_listed_newest_first(stock: OpenAI) -> None:
    made = [submitted(stock, [score("a")]).id for _ in range(3)]
    page = stock.batches.list(limit=2)
    assert [each.id for each in page.data] == made[:0:-1] and page.has_more
    assert next(iter(stock.batches.list(limit=1, after=made[2]))).id == made[1]
    assert [each.id for each in stock.batches.list(limit=1)][:3] == made[::-1]  # page by page, to the last


def test_the_same_key_again_makes_no_second_batch(stock: OpenAI) -> None:
    file = stock.files.create(file=jsonl([score("a")]), purpose="batch")

    def create(key: str, **more: str) -> str:
        made = stock.batches.create(
            input_file_id=file.id,
            endpoint="/v1/score",  # type: ignore[arg-type]
            completion_window="24h",
            metadata=more,
            extra_headers={"Idempotency-Key": key},
        )
        return made.id

    assert create("first") == create("first") != create("second")
    with pytest.raises(openai.UnprocessableEntityError, match="Idempotency-Key"):
        create("first", another="request")


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        ([score("a")], {"endpoint": "/v1/chat/completions"}, "endpoint: '/v1/chat/completions' is no route"),
        ([score("a")], {"endpoint": "/v1/sentences"}, "line 1: url: '/v1/score' is not the batch's endpoint"),
        ([score("a")], {"completion_window": "48h"}, "completion_window: .*'24h'"),
        ([score("a")], {"metadata": {"k": "v" * 513}}, "metadata"),
        ([score("a")], {"metadata": {str(number): "" for number in range(17)}}, "at most 16"),
        ([score("a")], {"extra_body": {"output_expires_after": {}}}, "output_expires_after: .*[Rr]emove this field"),
        ([score("a"), score("a")], {}, "line 2: custom_id: 'a' is the custom_id of another line, line 1"),
        ([score("a"), {"url": "/v1/score", "body": {}}], {}, "line 2: custom_id"),
        ([score("a"), line("b", {}, method="GET")], {}, "line 2: method"),
        ([score("a"), line("b", "texts")], {}, "line 2: body"),
        ([score("a"), line("b", {}, more=1)], {}, "line 2: more"),
        ([line("a", {"texts": []})], {}, "line 1: body.texts"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_at_once(
    stock: OpenAI, lines: list[dict[str, object]], options: dict[str, object], words: str
) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match=words) as error:
        submitted(stock, lines, **options)
    assert error.value.code and error.value.type == "invalid_request_error" and error.value.param


def test_lines_that_are_no_json(stock: OpenAI) -> None:
    for given, words in ((b"{\n{}\n", "line 1"), (b"\xff\n", "UTF-8"), (b" \n", "no lines")):
        file = stock.files.create(file=given, purpose="batch")
        with pytest.raises(openai.UnprocessableEntityError, match=words):
            stock.batches.create(input_file_id=file.id, endpoint="/v1/score", completion_window="24h")  # type: ignore[arg-type]


def test_what_is_not_there_is_told(stock: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="input_file_id: there is no uploaded file 'file-nope'"):
        stock.batches.create(input_file_id="file-nope", endpoint="/v1/score", completion_window="24h")  # type: ignore[arg-type]
    for name in ("batch_nope", "job_" + "0" * 28):
        for call in (stock.batches.retrieve, stock.batches.cancel):
            with pytest.raises(openai.NotFoundError, match=f"there is no batch '{name}'. Name one that GET"):
                call(name)


def test_a_key_is_asked_for_where_keys_are_needed(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    _, token = create_key(keys, "batches", rate="3/hour")
    with serving_queue(settings, keys_file=keys) as url:
        with client_of(url, "cw_wrong") as stranger:
            for refused in (stranger.files.list, stranger.batches.list):
                with pytest.raises(openai.AuthenticationError, match="unknown or revoked"):
                    refused()
        with client_of(url, token) as known:
            made = submitted(known, [score("a")])
            assert known.batches.retrieve(made.id).id == made.id
            with pytest.raises(openai.RateLimitError, match="of 3 requests in 3600 seconds is used up"):
                known.files.list()
