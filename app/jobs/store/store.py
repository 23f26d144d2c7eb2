"""Jobs in Redis: their records, items, tries, results and events."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from app.jobs.store import keys
from app.jobs.store.connection import Redis, wait_until_on_disk
from app.jobs.store.record import RATE_SECONDS, Accepted, Entry, Record, UnreadableError
from app.jobs.store.script_batch import ScriptBatch
from app.jobs.store.scripts import script

log = structlog.get_logger()

PROGRESS_SECONDS = 0.2
"""Least time between two `progress` events."""

CHUNK_TIMEOUT = 3.0
"""Seconds without a heartbeat after which a chunk counts as stopped."""

UNCOMMITTED_SECONDS = 3600
"""Time after which items are dropped that were written for a job that was never made."""

_TRIES = itertools.count()

SCRIPTS = ("accept", "cancel", "chunk_heartbeat", "fail", "lead", "record", "settle", "start", "try", "undo_try")


@dataclass(frozen=True, slots=True)
class UnfinishedItem:
    """Item of a chunk without a result.

    Attributes:
        number: its number in the job.
        tries: how often it was begun before.
        entry: the item; None if it is missing.
    """

    number: int
    tries: int
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class StartedChunk:
    """Chunk that was begun.

    Attributes:
        unfinished: its items without a result.
        lost: workers that ended with items of the job under way beside others.
    """

    unfinished: list[UnfinishedItem]
    lost: int


@dataclass(eq=False)
class JobStore:
    """Jobs on a Redis server; every call may be repeated when its reply was lost.

    Attributes:
        redis: the queue's server.
        retention: seconds that an ended job is kept.
    """

    redis: Redis
    retention: int
    _scripts: ScriptBatch = field(init=False)

    def __post_init__(self) -> None:
        self._scripts = ScriptBatch(self.redis, {name: self.redis.register_script(script(name)) for name in SCRIPTS})

    async def accept(self, accepted: Accepted) -> str:
        """Make a job; its id, or that of the job made before under its idempotency key.

        Raises:
            KeyError: the key has made a job of another request.
        """
        job_id = accepted.id
        await self._write(keys.items(job_id), accepted.items)
        await self._write(keys.results(job_id), accepted.refused)
        fields = {
            "priority": accepted.priority,
            "total": len(accepted.items) + len(accepted.refused),
            "failed": len(accepted.refused),
            "chunks": json.dumps(accepted.chunks),
            "idempotency": accepted.idempotency,
            "batch": accepted.batch,
        }
        names = [
            *(keys.job(job_id), keys.items(job_id), keys.results(job_id), keys.events(job_id)),
            *(keys.ALL, keys.OPEN, keys.idempotency(accepted.idempotency)),
            *([keys.BATCHES] if accepted.batch else []),
        ]
        words = [
            *(job_id, accepted.digest if accepted.idempotency else "", self.retention, accepted.expires_after),
            *(word for pair in fields.items() for word in pair),
        ]
        async with self.redis.client() as connection:
            before = await self._scripts.scripts["accept"](keys=names, args=words, client=connection)
            await wait_until_on_disk(connection)
        if not before:
            return job_id
        await self.redis.unlink(keys.items(job_id), keys.results(job_id))
        made, digest = str(before).split(" ")
        if digest != accepted.digest:
            raise KeyError(made)
        return made

    async def record(self, job_id: str) -> Record | None:
        """Record of a job; None if there is none of this id.

        Raises:
            UnreadableError: something else wrote to it.
        """
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.hgetall(keys.job(job_id))
            (seconds, micros), fields = await pipeline.execute()
        return Record.of(fields, seconds + micros / 1e6) if fields.get("status") else None

    async def records(self, before: str | None, limit: int, index: str = keys.ALL) -> list[Record]:
        """Readable jobs of an index, newest first, those older than ``before``; at most ``limit``."""
        found: list[Record] = []
        upper = f"({before}" if before else "+"
        while len(found) < limit:
            ids = await self.redis.zrevrangebylex(index, upper, "-", 0, limit)
            if not ids:
                break
            found += await self.readable(ids, index)
            upper = f"({ids[-1]}"
        return found[:limit]

    async def readable(self, ids: Sequence[str], index: str) -> list[Record]:
        """Readable jobs among those of these ids; what is there no more leaves the index."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            for job_id in ids:
                pipeline.hgetall(keys.job(job_id))
            (seconds, micros), *hashes = await pipeline.execute()
        found: list[Record] = []
        for job_id, fields in zip(ids, hashes, strict=True):
            if not fields.get("status"):
                await self.redis.zrem(index, job_id)  # its time is over
                continue
            try:
                found.append(Record.of(fields, seconds + micros / 1e6))
            except UnreadableError as error:
                log.warning("left out of the list of jobs", job=job_id, reason=str(error))
        return found

    async def start(self, job_id: str, start: int, stop: int, chunk: str) -> StartedChunk:
        """Begin a chunk."""
        names = (keys.job, keys.items, keys.results, keys.tries, keys.events, keys.running, keys.lost)
        found = await self._scripts.run("start", [name(job_id) for name in names], [job_id, start, stop, chunk])
        lost, *left = found or [0]
        triples = zip(left[::3], left[1::3], left[2::3], strict=True)
        unfinished = [UnfinishedItem(number, tries, Entry.read(number, text)) for number, tries, text in triples]
        return StartedChunk(unfinished, lost)

    async def chunk_heartbeat(self, job_id: str, chunks: Sequence[str]) -> str | None:
        """Renew chunks under way; the job's status."""
        status = await self._scripts.run("chunk_heartbeat", [keys.job(job_id), keys.running(job_id)], chunks)
        return str(status) if status else None

    async def items(self, job_id: str, numbers: Sequence[int]) -> list[Entry | None]:
        """Items by their numbers; None where one is missing."""
        found = await self.redis.hmget(keys.items(job_id), [str(number) for number in numbers])
        return [Entry.read(number, text) for number, text in zip(numbers, found, strict=True)]

    async def begin_try(self, job_id: str, number: int, token: str) -> int:
        """Count a try of an item; the number of tries, this one included, 0 or -1 if it must not be tried."""
        names = [keys.job(job_id), keys.results(job_id), keys.tries(job_id)]
        return int(await self._scripts.run("try", names, [number, token]))

    async def undo_tries(self, job_id: str, tokens: Mapping[int, str]) -> None:
        """Uncount tries that ended through no fault of their items, by item number."""
        if tokens:
            words = [word for pair in tokens.items() for word in pair]
            await self._scripts.run("undo_try", [keys.tries(job_id)], words)

    async def write(self, job_id: str, number: int, line: str, outcome: Literal["completed", "failed"]) -> bool:
        """Write a result, unless there is one already or the job takes no more; whether it was written."""
        written = await self._scripts.run(
            "record",
            [keys.job(job_id), keys.results(job_id), keys.tries(job_id), keys.events(job_id)],
            [job_id, number, line, outcome, RATE_SECONDS, PROGRESS_SECONDS],
        )
        return bool(written)

    async def results(self, job_id: str, numbers: Iterable[int]) -> list[str | None]:
        """Lines of results and errors by the numbers of their items; None where there is none yet."""
        found: list[str | None] = await self.redis.hmget(keys.results(job_id), [str(number) for number in numbers])
        return found

    async def cancel(self, job_id: str) -> str | None:
        """Take no more results; the job's status, None if there is none of this id."""
        status = await self._scripts.run("cancel", [keys.job(job_id), keys.events(job_id)], [job_id])
        return str(status) if status else None

    async def fail(self, job_id: str, why: str) -> None:
        """End a job that cannot go on."""
        await self._scripts.run("fail", [keys.job(job_id), keys.events(job_id)], [job_id, why])

    async def settle(self, job_id: str, stopped: str = "") -> str | None:
        """End the chunk of this name, if any, and expire, cancel or complete the job if due; its status."""
        names = (keys.job, keys.items, keys.results, keys.tries, keys.events, keys.running, keys.lost)
        status = await self._scripts.run(
            "settle",
            [*(name(job_id) for name in names), keys.OPEN],
            [job_id, CHUNK_TIMEOUT, self.retention, stopped],
        )
        return str(status) if status else None

    async def delete(self, job_id: str, idempotency: str) -> None:
        """Delete a job that has ended, with its idempotency key of this digest unless that is ""."""
        every = (keys.job, keys.items, keys.results, keys.tries, keys.running, keys.lost, keys.events)
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.unlink(*(name(job_id) for name in every))
            for index in (keys.ALL, keys.BATCHES):
                pipeline.zrem(index, job_id)
            pipeline.srem(keys.OPEN, job_id)
            if idempotency:
                pipeline.unlink(keys.idempotency(idempotency))
            await pipeline.execute()

    async def open_ids(self) -> list[str]:
        """Ids of the jobs that have not ended."""
        return sorted(await self.redis.smembers(keys.OPEN))

    async def lead(self, name: str, seconds: float) -> bool:
        """Whether the process of this name is elected to maintain open jobs, until so many seconds of silence."""
        return bool(await self._scripts.run("lead", [keys.MAINTAINER], [name, int(1000 * seconds)]))

    async def mark_queued(self, job_id: str) -> None:
        """Note that a job's chunks are in the queue."""
        await self.redis.hset(keys.job(job_id), "queued", "1")

    async def is_running(self, job_id: str) -> bool:
        """Whether a job has any chunk under way."""
        return bool(await self.redis.zcard(keys.running(job_id)))

    async def events(self, job_id: str, after: str, limit: int = 200) -> list[tuple[str, dict[str, str]]]:
        """Events after one, oldest first."""
        found: list[tuple[str, dict[str, str]]] = await self.redis.xrange(keys.events(job_id), f"({after}", "+", limit)
        return found

    async def _write(self, key: str, lines: Mapping[int, str]) -> None:
        pairs = iter(lines.items())
        while piece := list(itertools.islice(pairs, 1000)):
            await self.redis.hset(key, mapping={str(number): line for number, line in piece})
        if lines:
            await self.redis.expire(key, UNCOMMITTED_SECONDS)


def new_token(worker: str) -> str:
    """Unique token of one try of an item by the worker of this name, which lives in one process."""
    return f"{worker} {next(_TRIES):x}"
