"""Jobs as they are kept in Redis: what the service and the workers know of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import structlog

from app.jobs.store import keys
from app.jobs.store.connection import Redis, settled
from app.jobs.store.record import Accepted, Entry, Record, UnreadableError
from app.jobs.store.script_batch import Exchanges
from app.jobs.store.scripts import script

log = structlog.get_logger()

SMOOTHING = 20.0
"""Seconds over which the rate of a job is averaged."""

TELL_EVERY = 0.2
"""Least seconds between two `progress` events."""

STALE = 3.0
"""Seconds after which a chunk that is not heard of has stopped."""

UNCOMMITTED = 3600
"""Seconds after which items are dropped that were written for a job that was never made."""

_TRIES = itertools.count()

SCRIPTS = ("accept", "beat", "start", "try", "untry", "record", "cancel", "fail", "settle", "lead", "learn", "sign_on")


@dataclass(frozen=True, slots=True)
class Opened:
    """A chunk that was begun.

    Attributes:
        left: numbers of the items without a result, and how often each was begun before.
        entries: these items; None where one is missing.
        lost: workers that ended with items of the job under way that ran beside others.
    """

    left: dict[int, int]
    entries: list[Entry | None]
    lost: int


@dataclass(eq=False)
class JobStore:
    """Every method is one exchange or a few; all may be repeated when a reply was lost.

    Attributes:
        redis: the queue's server.
        retention: seconds that an ended job is kept.
        scripts: those of the queue, for whoever would share its exchanges.
    """

    redis: Redis
    retention: int
    scripts: Exchanges = field(init=False)

    def __post_init__(self) -> None:
        self.scripts = Exchanges(self.redis, {name: self.redis.register_script(script(name)) for name in SCRIPTS})

    async def accept(self, accepted: Accepted) -> str:
        """Make a job; its id, or that of the job which its idempotency key has made before.

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
        }
        names = [
            *(keys.job(job_id), keys.items(job_id), keys.results(job_id), keys.events(job_id)),
            *(keys.ALL, keys.OPEN, keys.idempotency(accepted.idempotency)),
        ]
        words = [
            *(job_id, accepted.digest if accepted.idempotency else "", self.retention, accepted.expires_after),
            *(word for pair in fields.items() for word in pair),
        ]
        async with self.redis.client() as connection:
            before = await self.scripts.scripts["accept"](keys=names, args=words, client=connection)
            await settled(connection)
        if not before:
            return job_id
        await self.redis.unlink(keys.items(job_id), keys.results(job_id))
        made, digest = str(before).split(" ")
        if digest != accepted.digest:
            raise KeyError(made)
        return made

    async def record(self, job_id: str) -> Record | None:
        """A job; None if there is none of this id.

        Raises:
            UnreadableError: somebody spoilt it.
        """
        async with self.redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.hgetall(keys.job(job_id))
            (seconds, micros), fields = await pipeline.execute()
        return Record.of(fields, seconds + micros / 1e6) if fields.get("status") else None

    async def records(self, before: str | None, limit: int) -> list[Record]:
        """Jobs, newest first, those older than ``before``; at most ``limit``; none that cannot be read."""
        found: list[Record] = []
        upper = f"({before}" if before else "+"
        while len(found) < limit:
            ids = await self.redis.zrevrangebylex(keys.ALL, upper, "-", 0, limit)
            if not ids:
                break
            for job_id in ids:
                try:
                    record = await self.record(job_id)
                except UnreadableError as error:
                    log.warning("left out of the list of jobs", job=job_id, reason=str(error))
                    continue
                if record is not None:
                    found.append(record)
                else:
                    await self.redis.zrem(keys.ALL, job_id)  # its time is over
            upper = f"({ids[-1]}"
        return found[:limit]

    async def start(self, job_id: str, start: int, stop: int, chunk: str) -> Opened:
        """Begin a chunk."""
        names = (keys.job, keys.items, keys.results, keys.tries, keys.events, keys.running, keys.lost)
        found = await self.scripts.run("start", [name(job_id) for name in names], [job_id, start, stop, chunk])
        lost, *left = found or [0]
        numbers, tries, texts = left[::3], left[1::3], left[2::3]
        entries = [Entry.read(number, text) for number, text in zip(numbers, texts, strict=True)]
        return Opened(dict(zip(numbers, tries, strict=True)), entries, lost)

    async def beat(self, job_id: str, chunks: Sequence[str]) -> str | None:
        """Tell that chunks are being worked on; the job's status."""
        status = await self.scripts.run("beat", [keys.job(job_id), keys.running(job_id)], chunks)
        return str(status) if status else None

    async def stop(self, job_id: str, chunk: str) -> str | None:
        """Tell that a chunk is no longer worked on; the job's status after what follows of it."""
        return await self._settle(job_id, chunk)

    async def items(self, job_id: str, numbers: Sequence[int]) -> list[Entry | None]:
        """Items by their numbers; None where one is missing."""
        found = await self.redis.hmget(keys.items(job_id), [str(number) for number in numbers])
        return [Entry.read(number, text) for number, text in zip(numbers, found, strict=True)]

    async def begin(self, job_id: str, number: int, token: str) -> int:
        """Count a try of an item: how many there were, this one included; 0 or -1 if it must not be tried."""
        return int(
            await self.scripts.run("try", [keys.job(job_id), keys.results(job_id), keys.tries(job_id)], [number, token])
        )

    async def forgive(self, job_id: str, tokens: Mapping[int, str]) -> None:
        """Take back tries that ended by no fault of their items."""
        if tokens:
            await self.scripts.run("untry", [keys.tries(job_id)], [word for pair in tokens.items() for word in pair])

    async def write(self, job_id: str, number: int, line: str, outcome: Literal["completed", "failed"]) -> bool:
        """Write a result, unless there is one already or the job takes no more; whether it was written."""
        written = await self.scripts.run(
            "record",
            [keys.job(job_id), keys.results(job_id), keys.tries(job_id), keys.events(job_id)],
            [job_id, number, line, outcome, SMOOTHING, TELL_EVERY],
        )
        return bool(written)

    async def results(self, job_id: str, numbers: Iterable[int]) -> list[str | None]:
        """Lines of results and errors by the numbers of their items; None where there is none yet."""
        found: list[str | None] = await self.redis.hmget(keys.results(job_id), [str(number) for number in numbers])
        return found

    async def cancel(self, job_id: str) -> str | None:
        """Take no more results; the job's status, None if there is none of this id."""
        status = await self.scripts.run("cancel", [keys.job(job_id), keys.events(job_id)], [job_id])
        return str(status) if status else None

    async def fail(self, job_id: str, why: str) -> None:
        """End a job that cannot go on."""
        await self.scripts.run("fail", [keys.job(job_id), keys.events(job_id)], [job_id, why])

    async def settle(self, job_id: str) -> str | None:
        """Do what is due of a job: expire, end, complete; its status."""
        return await self._settle(job_id, "")

    async def _settle(self, job_id: str, stopped: str) -> str | None:
        status = await self.scripts.run(
            "settle",
            [
                *(keys.job(job_id), keys.items(job_id), keys.results(job_id), keys.tries(job_id)),
                *(keys.events(job_id), keys.running(job_id), keys.lost(job_id), keys.OPEN),
            ],
            [job_id, STALE, self.retention, stopped],
        )
        return str(status) if status else None

    async def delete(self, job_id: str, idempotency: str) -> None:
        """Forget a job that has ended, and that the key of this digest made it, unless it is ""."""
        every = (keys.job, keys.items, keys.results, keys.tries, keys.running, keys.lost, keys.events)
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.unlink(*(name(job_id) for name in every))
            pipeline.zrem(keys.ALL, job_id)
            pipeline.srem(keys.OPEN, job_id)
            if idempotency:
                pipeline.unlink(keys.idempotency(idempotency))
            await pipeline.execute()

    async def open_ids(self) -> list[str]:
        """Jobs that have not ended."""
        return sorted(await self.redis.smembers(keys.OPEN))

    async def lead(self, name: str, seconds: float) -> bool:
        """Whether it is for the one of this name to look after open jobs; if it then is silent for so long, another."""
        return bool(await self.scripts.run("lead", [keys.KEEPER], [name, int(1000 * seconds)]))

    async def queued(self, job_id: str) -> None:
        """Note that a job's chunks are in the queue."""
        await self.redis.hset(keys.job(job_id), "queued", "1")

    async def is_running(self, job_id: str) -> bool:
        """Whether any chunk of a job was being worked on when last heard of."""
        return bool(await self.redis.zcard(keys.running(job_id)))

    async def events(self, job_id: str, after: str, limit: int = 200) -> list[tuple[str, dict[str, str]]]:
        """Events after one, oldest first."""
        found: list[tuple[str, dict[str, str]]] = await self.redis.xrange(keys.events(job_id), f"({after}", "+", limit)
        return found

    async def _write(self, key: str, lines: Mapping[int, str]) -> None:
        numbers = list(lines)
        for start in range(0, len(numbers), 1000):
            piece = {str(number): lines[number] for number in numbers[start : start + 1000]}
            await self.redis.hset(key, mapping=piece)
        if lines:
            await self.redis.expire(key, UNCOMMITTED)


def token(worker: str) -> str:
    """A name for one try of an item by a worker, which has a name of its own and lives in one process."""
    return f"{worker} {next(_TRIES):x}"
