"""Workers of the queue, by their heartbeats."""

from __future__ import annotations

import time

from pydantic import ValidationError

from app.jobs.schemas import Worker
from app.jobs.store import keys
from app.jobs.store.connection import Redis

LISTED_SECONDS = 10.0
"""Time since the last heartbeat after which a worker is not listed."""

REMOVED_SECONDS = 3600.0
"""Time since the last heartbeat after which it is removed."""


async def heartbeat(redis: Redis, worker: Worker) -> None:
    """Report that a worker lives."""
    await redis.hset(keys.WORKERS, worker.name, worker.model_dump_json())


async def remove(redis: Redis, name: str) -> None:
    """Remove a worker that ends."""
    await redis.hdel(keys.WORKERS, name)


async def workers(redis: Redis) -> list[Worker]:
    """Workers with a recent heartbeat, oldest first."""
    now = time.time()
    found: list[Worker] = []
    for name, text in (await redis.hgetall(keys.WORKERS)).items():
        try:
            worker = Worker.model_validate_json(text)
        except ValidationError:  # of another version
            continue
        if now - worker.seen_at < LISTED_SECONDS:
            found.append(worker)
        elif now - worker.seen_at > REMOVED_SECONDS:
            await remove(redis, name)
    return sorted(found, key=lambda worker: (worker.started_at, worker.name))
