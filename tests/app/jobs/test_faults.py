"""Workers, the queue's server and the whole service killed, hung and stopped: nothing is lost, nothing doubled."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
import redis

from app.jobs.store import keys
from app.jobs.work.worker import HEARTBEAT_SECONDS
from tests.app.jobs.poisoned import POISON
from tests.support.fleet import Fleet, QueueServer, open_fleet
from tests.support.job_chaos import chaos, poison, watch
from tests.support.job_items import alike, essences, mixed, sentences
from tests.support.live import until
from tests.support.processes import Nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks workers and looks into /proc")


def running(fleet: Fleet) -> list[int]:
    """Items that run at each worker; none is listed while a busy machine keeps its heartbeat back."""
    return [worker["items_running"] for worker in fleet.alive()]


def test_workers_killed_and_the_queue_restarted_change_nothing(fleet: Fleet, queue: QueueServer) -> None:
    # By progress rather than by the clock: a slow machine would kill workers before they have begun anything.
    found = chaos(fleet, queue, mixed(80), kill_every=60.0, kill_at=(8, 24, 40, 56))
    assert found["workers_killed"] >= 4 and found["queue_restarts"] == 1
    assert found["status"] == "completed" and found["request_counts"] == {"total": 80, "completed": 80, "failed": 0}
    assert found["wrong_polls"] == 0 and found["in_order"]
    assert (found["lost"], found["doubled"], found["differing"], found["errors"]) == (0, 0, 0, 0)


def test_a_poison_item_is_parked_and_the_others_complete(fleet: Fleet) -> None:
    fleet.worker = "tests.app.jobs.poisoned:worker"
    found = poison(fleet, mixed(60), 23, {"url": "/v1/sentences", "body": {"keywords": [POISON]}})
    assert found["status"] == "completed" and not found["wrong_polls"]
    assert found["request_counts"] == {"total": 60, "completed": 59, "failed": 1}
    (line,) = found["errors"]
    assert line["custom_id"] == "poison" and line["response"] is None
    assert line["error"]["code"] == "worker_crashed" and "3 times" in line["error"]["message"]
    assert found["workers_that_died"] == 3


def test_a_stopping_worker_hands_its_chunk_back_at_once(fleet: Fleet, queue: QueueServer) -> None:
    first = fleet.start_worker()
    fleet.wait_workers(1)
    job = fleet.submit([sentences(number, chains=4, steps=300) for number in range(4)])
    with redis.Redis.from_url(queue.url) as client:
        until(lambda: client.exists(keys.tries(job["id"])))
    first.send(signal.SIGTERM)
    first.wait(60)
    with redis.Redis.from_url(queue.url) as client:
        left = client.xpending("chainwright-bulk:stream", "docket-workers")
        assert left["pending"] == 0, "for nobody is there who could take over what its lease holds"
    assert fleet.job(job["id"])["request_counts"]["completed"] < 4, "there was nothing to hand back"
    assert first.pid not in [worker["pid"] for worker in fleet.client.get("/v1/workers").json()["workers"]]
    fleet.start_worker()
    seen = watch(fleet, job)
    assert seen.job["request_counts"] == {"total": 4, "completed": 4, "failed": 0}


def test_one_item_more_than_run_is_begun(fleet: Fleet, queue: QueueServer) -> None:
    fleet.start_worker(worker_items="2")
    fleet.wait_workers(1)
    job = fleet.submit([sentences(number, chains=16, steps=3000) for number in range(6)])
    until(lambda: running(fleet) == [2])
    with redis.Redis.from_url(queue.url) as client:
        until(lambda: client.hlen(keys.tries(job["id"])) >= 3)
        time.sleep(0.3)
        assert client.hlen(keys.tries(job["id"])) == 3 and running(fleet) in ([2], [])
        fleet.client.delete(f"/v1/jobs/{job['id']}").raise_for_status()
        until(lambda: fleet.job(job["id"])["status"] == "cancelled")


def test_a_worker_listens_for_no_single_chunk_to_be_cancelled(fleet: Fleet, queue: QueueServer) -> None:
    fleet.start_worker()
    fleet.wait_workers(1)
    assert watch(fleet, fleet.submit([sentences(1, chains=1, steps=1)])).job["status"] == "completed"
    with redis.Redis.from_url(queue.url) as client:
        assert client.pubsub_numpat() == 0


def test_a_worker_tells_of_itself_again_once_it_can(fleet: Fleet, queue: QueueServer) -> None:
    fleet.start_worker()
    fleet.wait_workers(1)
    with redis.Redis.from_url(queue.url) as client:
        client.set(keys.WORKERS, "of another type")
        time.sleep(HEARTBEAT_SECONDS + 1.0)
        client.delete(keys.WORKERS)
    until(fleet.alive)


def test_none_is_begun_beside_one_that_must_be_alone(fleet: Fleet, queue: QueueServer) -> None:
    # The one that must be alone is sure to be seen under way.
    job = fleet.submit([sentences(number, chains=8, steps=1000 if number == 2 else 200) for number in range(10)])
    with redis.Redis.from_url(queue.url, decode_responses=True) as client:
        tries = keys.tries(job["id"])
        client.hset(tries, "2", "1 gone with-a-worker")
        fleet.start_worker(worker_items="2")
        fleet.wait_workers(1)
        until(lambda: (client.hget(tries, "2") or "").startswith("2 "))
        seen = [begun for begun in (client.hkeys(tries) for _ in range(20)) if "2" in begun]
    assert seen and all(begun == ["2"] for begun in seen)
    assert watch(fleet, job).job["request_counts"] == {"total": 10, "completed": 10, "failed": 0}


def test_what_an_item_had_computed_outlives_its_worker(fleet: Fleet, short_folder: Path) -> None:
    cache = QueueServer(short_folder / "scores")
    cache.start()
    item = sentences(1, chains=4, steps=500)
    try:
        fleet.start_worker(redis_url=cache.url)
        fleet.wait_workers(1)
        quiet = json.loads(fleet.lines(watch(fleet, fleet.submit([item])).job["id"])[0])["response"]["body"]
        fleet.stop_workers()
        with redis.Redis.from_url(cache.url) as client:
            written = int(client.dbsize())
            client.flushdb()
        first = fleet.start_worker(redis_url=cache.url)
        fleet.wait_workers(1)
        job = fleet.submit([item])
        until(lambda: cache_keys(cache) > written // 2)
        first.send(signal.SIGKILL)
        fleet.start_worker(redis_url=cache.url)
        again = json.loads(fleet.lines(watch(fleet, job).job["id"])[0])["response"]["body"]
    finally:
        fleet.stop_workers()
        cache.stop()
    assert again["sentences"][0]["text"] == quiet["sentences"][0]["text"]
    assert again["usage"]["lm_tokens"] < 0.8 * quiet["usage"]["lm_tokens"]


def cache_keys(cache: QueueServer) -> int:
    with redis.Redis.from_url(cache.url) as client:
        return int(client.dbsize())


def test_a_hung_queue_holds_up_and_loses_nothing(fleet: Fleet, queue: QueueServer) -> None:
    fleet.start_worker()
    fleet.wait_workers(1)
    items = mixed(60)
    quiet = watch(fleet, fleet.submit(items))
    job = fleet.submit(items)
    until(lambda: fleet.job(job["id"])["request_counts"]["completed"] > 5)
    assert queue.process is not None
    queue.process.send_signal(signal.SIGSTOP)
    try:
        response = fleet.client.get(f"/v1/jobs/{job['id']}")
        assert response.status_code == 503 and response.headers["retry-after"]
        assert fleet.client.get("/health").status_code == 200
        body = {"keywords": ["dog"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 2}}
        assert fleet.client.post("/v1/sentences", json=body).status_code == 200
    finally:
        queue.process.send_signal(signal.SIGCONT)
    seen = watch(fleet, job)
    assert seen.job["status"] == "completed" and not seen.wrong
    assert alike(essences(fleet.lines(job["id"])), essences(fleet.lines(quiet.job["id"])))


def test_a_cancelled_job_stops_at_once(fleet: Fleet) -> None:
    fleet.start_worker()
    fleet.wait_workers(1)
    job = fleet.submit([sentences(number, chains=16, steps=3000) for number in range(20)])
    until(lambda: any(running(fleet)))
    assert fleet.client.delete(f"/v1/jobs/{job['id']}").json()["status"] in ("cancelling", "cancelled")
    until(lambda: fleet.job(job["id"])["status"] == "cancelled")
    until(lambda: running(fleet) == [0])
    (codes,) = {json.loads(line)["error"]["code"] for line in fleet.lines(job["id"], "errors")}
    assert codes == "job_cancelled"


def test_a_service_killed_as_a_whole_goes_on_after_its_restart(
    nursery: Nursery, process_settings: dict[str, str], short_folder: Path
) -> None:
    settings = process_settings | {"state_dir": str(short_folder / "killed")}
    pid_file = short_folder / "killed" / "queue" / "pid"
    with open_fleet(nursery, short_folder / "killed-logs", settings) as alone:
        alone.start_service()
        alone.wait_ready()
        items = [sentences(number) for number in range(60)]
        job = alone.submit(items)
        until(lambda: alone.job(job["id"])["request_counts"]["completed"] > 5)
        assert alone.service is not None
        server = int(pid_file.read_text())
        alone.service.send(signal.SIGKILL)
        os.kill(server, signal.SIGKILL)
        alone.service.wait(60)
        until(lambda: not psutil.pid_exists(server) or psutil.Process(server).status() == "zombie")
        with pytest.raises(httpx.HTTPError):
            alone.client.get("/health")
        alone.start_service()
        alone.wait_ready()
        seen = watch(alone, job)
        assert seen.job["request_counts"] == {"total": 60, "completed": 60, "failed": 0} and not seen.wrong
        names = [json.loads(line)["custom_id"] for line in alone.lines(job["id"])]
        assert names == [item["custom_id"] for item in items]
