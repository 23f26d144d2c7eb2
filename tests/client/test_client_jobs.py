"""Both clients at a real service: jobs."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any

import pytest

from app.jobs.schemas import Item
from chainwright_client import AsyncClient, Client, Job, ServiceError, TimedOutError
from tests.support import facts

QUICK = {"kind": "annealing", "chains": 1, "steps": 2}
SLOW = {"kind": "metropolis", "chains": 1, "steps": 150}


def bodies(count: int, sampler: dict[str, Any] = QUICK) -> list[dict[str, Any]]:
    return [{"keywords": ["今天"], "seed": seed, "sampler": sampler} for seed in range(count)]


def test_a_job_from_bodies_to_results(client: Any) -> None:
    reports: list[Job] = []
    job = client.job_of("sentences", bodies(5))
    ended = client.wait(job, progress=reports.append, timeout=300)
    assert ended.status == "completed" and reports[-1] == ended
    counts = [report.request_counts.completed for report in reports]
    assert counts == sorted(counts) and counts[-1] == ended.request_counts.total == 5
    lines = list(client.results(job))
    assert [line.custom_id for line in lines] == [f"item-{number}" for number in range(5)]
    direct = client.sentences(**bodies(5)[3])
    assert lines[3].response.body.sentences[0].text == direct.sentences[0].text
    assert list(client.errors(job.id)) == []
    assert job.id in [each.id for each in client.jobs()]
    assert client.delete_job(job) is None
    with pytest.raises(ServiceError) as caught:
        client.job(job)
    assert caught.value.status == 404


def test_items_mix_routes_and_bad_ones_may_be_skipped(client: Any) -> None:
    items = [
        Item(custom_id="s", url="/v1/score", body={"texts": ["今天。"]}),
        {"custom_id": "bad", "url": "/v1/sentences", "body": {"keywords": []}},
        {"custom_id": "w", "url": "/v1/sentences", "body": bodies(1)[0]},
    ]
    with pytest.raises(ServiceError) as caught:
        client.create_job(items)
    assert [fault.field for fault in caught.value.errors] == ["items[1].body.keywords"]
    job = client.create_job(items, on_invalid="skip", priority="interactive")
    assert job.priority == "interactive"
    assert [line.custom_id for line in client.results(job)] == ["s", "w"]
    (error,) = client.errors(job)
    assert error.custom_id == "bad" and error.response.status_code == 422


def test_separators_in_strings_end_no_line(client: Any) -> None:
    name = "x\u2028y\u2029z\x85"
    body = {"texts": ["今天。"], "context": "第一行\u2028第二行"}
    (line,) = client.results(client.create_job([{"custom_id": name, "url": "/v1/score", "body": body}]))
    assert line.custom_id == name and body["context"] in line.response.body.model_dump_json()
    content = json.dumps({"custom_id": name, "url": "/v1/score", "body": body}, ensure_ascii=False).encode()
    (again,) = client.results(client.create_job(content))
    assert again.custom_id == name and again.response.body.scores == line.response.body.scores


def test_the_same_key_is_the_same_job(client: Any) -> None:
    first = client.job_of("sentences", bodies(1), idempotency_key=f"key of {type(client).__name__}")
    again = client.job_of("sentences", bodies(1), idempotency_key=f"key of {type(client).__name__}")
    other = client.job_of("sentences", bodies(1))
    assert first.id == again.id != other.id


def test_a_job_of_a_task_with_a_parameter_in_its_path(client: Any) -> None:
    name = facts.name()
    client.build_index(name, facts.LINES)
    client.wait_index(name, timeout=300)
    job = client.job_of("search", [{"query": "今天天气", "n": 1}], index=name, priority="interactive")
    (line,) = client.results(job)
    assert line.response.body.answers == client.search(index=name, query="今天天气", n=1).answers
    assert job.priority == "interactive"


def test_events_of_a_job_go_on_behind_any(client: Any) -> None:
    job = client.job_of("sentences", bodies(3))
    events = list(client.events(job))
    assert events[0].name == "status" and events[-1].data.status == "completed"
    assert events[-1].data.request_counts.completed == 3
    assert [event.id for event in client.events(job, after=events[0].id)] == [event.id for event in events[1:]]


def test_cancelling_keeps_what_is_done(client: Any) -> None:
    job = client.job_of("sentences", bodies(40, SLOW))
    with pytest.raises(TimedOutError, match="goes on"):
        client.wait(job, timeout=0)
    assert client.cancel(job).status in ("cancelling", "cancelled")
    ended = client.wait(job, timeout=300)
    assert ended.status == "cancelled"
    assert len(list(client.results(job))) == ended.request_counts.completed < 40
    assert client.cancel(job).status == "cancelled"
    assert client.job(job).id == job.id


def test_results_are_followed_while_the_job_runs(live: str) -> None:
    """More items than any machine does while a line is read, given up once it has been seen that they go on."""
    with Client(live) as client:
        job = client.job_of("sentences", [*bodies(1), *bodies(60, SLOW)])
        results = client.results(job)
        assert next(results).custom_id == "item-0"
        assert client.job(job).status == "in_progress"
        assert len(list(client.results(job, follow=False))) < 61
        assert next(results).custom_id == "item-1"
        client.cancel(job)
        rest = [line.custom_id for line in results]
        assert len({"item-0", "item-1", *rest}) == 2 + len(rest)
        assert client.job(job).request_counts.completed == 2 + len(rest) < 61


@pytest.mark.anyio
async def test_results_are_followed_while_the_job_runs_awaited(live: str) -> None:
    async with AsyncClient(live) as client:
        job = await client.job_of("sentences", [*bodies(1), *bodies(60, SLOW)])
        async with aclosing(client.results(job)) as results:
            assert (await anext(results)).custom_id == "item-0"
            assert (await client.job(job)).status == "in_progress"
            await client.cancel(job)
            rest = [line async for line in results]
            assert (await client.job(job)).request_counts.completed == 1 + len(rest) < 61


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
