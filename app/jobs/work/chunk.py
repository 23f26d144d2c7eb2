"""Run of one chunk: every item of it is begun, counted, run and its result written once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import structlog

from app.engine.engine import Engine
from app.jobs.store.lines import error_line, problem_line, result_line
from app.jobs.store.record import Entry
from app.jobs.store.store import JobStore, UnfinishedItem, new_token
from app.jobs.work.heartbeat import Heartbeat
from app.jobs.work.read_write_lock import ReadWriteLock
from app.jobs.work.retry import DrainingError, retry_until
from app.tasks.registry import task_at
from app.web.problems import ProblemError

log = structlog.get_logger()

MAX_TRIES = 3
"""Tries of an item before it is parked."""

MAX_TRIES_UNDER_FIRE = 6
"""The same where several workers were lost with items beside others: an item that kills its worker does so only once
beside others, so these ended for other reasons, and an item under way when they ended need not be to blame."""

TRANSIENT_STATUSES = (429, 503)
"""Statuses of problems after which an item is tried again."""

Outcome = tuple[str, Literal["completed", "failed"]]
"""Line of an item, and which of the two it is."""

T = TypeVar("T")


@dataclass(eq=False)
class WorkerContext:
    """Shared state of the chunks that a worker takes from one docket.

    Attributes:
        name: of the worker.
        engine: its admission is the docket's own.
        lock: shared by items side by side, exclusive for an item that may kill the worker.
        begun: slots of items that are begun: one more than run at the engine.
        draining: set when the worker ends.
        items_done: items run to an outcome.
    """

    name: str
    engine: Engine
    store: JobStore
    heartbeat: Heartbeat
    lock: ReadWriteLock
    begun: asyncio.Semaphore
    draining: asyncio.Event
    items_done: int = 0


@dataclass(eq=False)
class ChunkRun:
    """Chunk under way.

    An item that was begun before, and has no result, was perhaps what ended its worker. So it runs with
    nothing beside it: if it is the one, it takes no other item with it, and if not, it has its result. After
    :data:`MAX_TRIES` it is parked: an error is its result. Where several workers were lost it gets more of them.

    Attributes:
        name: of the chunk.
    """

    worker: WorkerContext
    job_id: str
    name: str
    _tokens: dict[int, str] = field(default_factory=dict)
    _max_tries: int = MAX_TRIES

    async def run(self, start: int, stop: int) -> bool:
        """Run the unfinished items from ``start`` to before ``stop``; whether none is left to do.

        Raises:
            DrainingError: the worker drains, and its queue server does not answer.
        """
        chunk = await self._retry(lambda: self.worker.store.start(self.job_id, start, stop, self.name))
        if not chunk.unfinished:
            return True
        self._max_tries = MAX_TRIES if chunk.lost < 2 else MAX_TRIES_UNDER_FIRE
        work = asyncio.create_task(self._work(chunk.unfinished))
        with self.worker.heartbeat.during(self.job_id, self.name) as unwanted:
            signals = [asyncio.create_task(event.wait()) for event in (unwanted, self.worker.draining)]
            try:
                await asyncio.wait([work, *signals], return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            except* DrainingError as group:
                raise DrainingError from group
            finally:
                for task in (work, *signals):
                    task.cancel()
                await asyncio.gather(work, *signals, return_exceptions=True)
                await self._retry(self._stop)
        return unwanted.is_set() or (work.done() and not work.cancelled())

    async def _stop(self) -> None:
        # Called side by side, so that it is one exchange.
        await asyncio.gather(
            self.worker.store.undo_tries(self.job_id, self._tokens),
            self.worker.store.settle(self.job_id, stopped=self.name),
        )

    async def _work(self, unfinished: Sequence[UnfinishedItem]) -> None:
        entries = [(item.entry, item.tries) for item in unfinished if item.entry is not None]
        if len(entries) < len(unfinished):
            why = "its items are not in the queue's server any more"
            await self._retry(lambda: self.worker.store.fail(self.job_id, why))
            return
        async with asyncio.TaskGroup() as group:
            for entry, tries in entries:
                if not tries:
                    group.create_task(self._run_beside_others(entry))
        for entry, tries in entries:
            if tries:
                async with self.worker.lock.exclusive():
                    await self._write(entry, await self._outcome(entry))

    async def _run_beside_others(self, entry: Entry) -> None:
        # One more is begun than the engine admits, so that no slot there waits for the queue's server or for a plan;
        # but none beside an exclusive one: an item that was begun and has no result is suspect.
        async with self.worker.begun, self.worker.lock.shared():
            outcome = await self._outcome(entry)
        # The model need not wait for the disk of the queue's server.
        await self._write(entry, outcome)

    async def _begin_try(self, entry: Entry) -> int:
        """Count a try; the number of tries, this one included, or 0 or less if there must be none."""
        token = new_token(self.worker.name)
        tries = await self._retry(lambda: self.worker.store.begin_try(self.job_id, entry.number, token))
        if tries > 0:
            self._tokens[entry.number] = token
        return tries

    async def _outcome(self, entry: Entry) -> Outcome | None:
        """Try an item until it has an outcome; None if it must have none."""
        while (tries := await self._begin_try(entry)) > 0:
            if tries > self._max_tries:
                message = f"it was begun {tries - 1} times, and each time its worker ended before it was done"
                return self._parked(entry, "worker_crashed", message)
            try:
                outcome = await self._run(entry)
                self.worker.items_done += 1
                return outcome
            except ProblemError as error:
                if tries == self._max_tries:
                    return problem_line(self.job_id, entry.number, entry.custom_id, error), "failed"
                await asyncio.sleep(tries)
            except Exception as error:
                log.error("an item failed unexpectedly", job=self.job_id, item=entry.number, exc_info=error)
                if tries == self._max_tries:
                    message = f"something failed inside the service, {tries} times; the log of the worker has the cause"
                    return self._parked(entry, "internal_error", message)
        return None

    async def _run(self, entry: Entry) -> Outcome:
        """Outcome of one try of an item.

        Raises:
            ProblemError: a transient one.
        """
        began = time.perf_counter()
        try:
            task = task_at(entry.url)
            answer = await task.run(task.read(entry.body), self.worker.engine)
        except ProblemError as error:
            if error.status in TRANSIENT_STATUSES:
                raise
            return problem_line(self.job_id, entry.number, entry.custom_id, error), "failed"
        body = answer.model_dump(mode="json")
        log.debug("item done", job=self.job_id, item=entry.number, seconds=round(time.perf_counter() - began, 3))
        return result_line(self.job_id, entry.number, entry.custom_id, body), "completed"

    async def _write(self, entry: Entry, outcome: Outcome | None) -> None:
        if outcome is not None:
            await self._retry(lambda: self.worker.store.write(self.job_id, entry.number, *outcome))
            self._tokens.pop(entry.number, None)

    def _parked(self, entry: Entry, code: str, message: str) -> Outcome:
        log.warning("item parked", job=self.job_id, item=entry.number, code=code)
        return error_line(self.job_id, entry.number, entry.custom_id, code, message), "failed"

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        return await retry_until(call, self.worker.draining)
