"""Who works on the queue, and what the work costs: what workers tell each other."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pydantic import ValidationError

from app.jobs.schemas import Worker
from app.jobs.store import keys
from app.jobs.store.connection import Redis
from app.jobs.store.store import JobStore

SILENCE = 10.0
"""Seconds after which a worker that is not heard of is not listed."""

FORGOTTEN = 3600.0
"""Seconds after which it is removed."""

WEIGHT = 0.3
"""Of the newest measurement of a cost."""

LEAST = 0.2
"""Seconds that a chunk must have taken to tell anything of its cost."""


async def sign_on(store: JobStore, worker: Worker) -> None:
    """Tell that a worker lives."""
    await store.scripts.run("sign_on", [keys.WORKERS], [worker.name, worker.model_dump_json()])


async def sign_off(redis: Redis, name: str) -> None:
    """Tell that a worker is gone."""
    await redis.hdel(keys.WORKERS, name)


async def workers(redis: Redis) -> list[Worker]:
    """Those heard of lately, oldest first."""
    now = time.time()
    found: list[Worker] = []
    for name, text in (await redis.hgetall(keys.WORKERS)).items():
        try:
            worker = Worker.model_validate_json(text)
        except ValidationError:  # of another version
            continue
        if now - worker.seen_at < SILENCE:
            found.append(worker)
        elif now - worker.seen_at > FORGOTTEN:
            await redis.hdel(keys.WORKERS, name)
    return sorted(found, key=lambda worker: (worker.started_at, worker.name))


async def costs(redis: Redis) -> dict[str, float]:
    """Measured seconds of a unit of work in a chunk, by kind."""
    return {kind: float(seconds) for kind, seconds in (await redis.hgetall(keys.COSTS)).items()}


async def learn(store: JobStore, units: Mapping[str, float], seconds: float) -> None:
    """Take in what a chunk of a single kind of work cost."""
    if len(units) != 1 or seconds < LEAST:
        return
    (kind, count), *_ = units.items()
    await store.scripts.run("learn", [keys.COSTS], [kind, seconds / count, WEIGHT])
