"""One chunk of a job, worked off: every item of it begun, counted, run and its result written once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import structlog

from app.engine.engine import Engine
from app.jobs.store.connection import AWAY
from app.jobs.store.lines import error_line, problem_line, result_line
from app.jobs.store.record import Entry
from app.jobs.store.store import JobStore, Opened, token
from app.jobs.store.workers import learn
from app.jobs.work.heartbeat import Heartbeat
from app.jobs.work.processor_sharing import Share
from app.jobs.work.read_write_lock import ReadWriteLock
from app.tasks.registry import task_at
from app.web.problems import ProblemError

log = structlog.get_logger()

MOST_TRIES = 3
"""Times that an item is begun at most."""

MOST_TRIES_UNDER_FIRE = 6
"""The same where workers end for other reasons: an item that kills its worker does so only once beside others, so
when several were lost in this way, an item that was under way when they ended need not be to blame."""

TRY_AGAIN = (0.1, 5.0)
"""Least and most seconds between tries to reach a queue server that is away."""

PASSING = (429, 503)
"""Statuses of problems that pass: the item is tried again."""

Outcome = tuple[str, Literal["completed", "failed"]]
"""The line of an item, and which of the two it is."""

Units = tuple[str, float]
"""Work that was done: what kind, and how much of it."""

T = TypeVar("T")


class StoppedError(Exception):
    """The worker drains."""


class Shift(Protocol):
    """What the chunks of a worker share."""

    name: str
    engine: Engine
    store: JobStore
    lookout: Heartbeat
    exclusion: ReadWriteLock
    begun: asyncio.Semaphore
    warm: set[str]
    draining: asyncio.Event

    def at_work(self) -> AbstractContextManager[Share]:
        """Holds as long as an item is under way."""
        ...


async def pause(draining: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the worker drains."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await draining.wait()


async def retry_until(call: Callable[[], Awaitable[T]], draining: asyncio.Event) -> T:
    """The result of an exchange with the queue's server, tried until it answers.

    Raises:
        StoppedError: the worker drains meanwhile.
    """
    wait, most = TRY_AGAIN
    while True:
        try:
            return await call()
        except AWAY as error:
            if draining.is_set():
                raise StoppedError from error
            log.warning("the queue's server does not answer; trying again", reason=str(error), seconds=wait)
            await pause(draining, wait)
            wait = min(2 * wait, most)


@dataclass(eq=False)
class ChunkRun:
    """A chunk under way.

    An item that was begun before, and has no result, was perhaps what ended its worker. So it runs with
    nothing beside it: if it is the one, it takes no other item with it, and if not, it has its result. After
    :data:`MOST_TRIES` it is parked: an error is its result. Where many workers end it gets more of them.

    Attributes:
        shift: what it shares with other chunks of the worker.
        job_id: whose it is.
        name: of the chunk.
        units: work done of which the cost is told, by kind.
        seconds: that this took of the worker, which may work at other chunks beside it.
    """

    shift: Shift
    job_id: str
    name: str
    units: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    _tokens: dict[int, str] = field(default_factory=dict)
    _most: int = MOST_TRIES

    async def run(self, start: int, stop: int) -> bool:
        """Work off what is left of the items from ``start`` to before ``stop``; whether none is left to do.

        Raises:
            StoppedError: the worker drains; its queue server could not be told.
        """
        opened = await self._insist(lambda: self.shift.store.start(self.job_id, start, stop, self.name))
        if not opened.left:
            return True
        self._most = MOST_TRIES if opened.lost < 2 else MOST_TRIES_UNDER_FIRE
        work = asyncio.create_task(self._work(opened))
        with self.shift.lookout.over(self.job_id, self.name) as unwanted:
            signs = [asyncio.create_task(sign.wait()) for sign in (unwanted, self.shift.draining)]
            try:
                await asyncio.wait([work, *signs], return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            except* StoppedError as group:
                raise StoppedError from group
            finally:
                for task in (work, *signs):
                    task.cancel()
                await asyncio.gather(work, *signs, return_exceptions=True)
                await self._insist(self._stop)
        return unwanted.is_set() or (work.done() and not work.cancelled())

    async def _stop(self) -> None:
        # Asked for at once, so that it is one exchange.
        await asyncio.gather(
            self.shift.store.forgive(self.job_id, self._tokens),
            self.shift.store.stop(self.job_id, self.name),
            learn(self.shift.store, self.units, self.seconds),
        )

    async def _work(self, opened: Opened) -> None:
        items = [entry for entry in opened.entries if entry is not None]
        if len(items) < len(opened.left):
            why = "its items are not in the queue's server any more"
            await self._insist(lambda: self.shift.store.fail(self.job_id, why))
            return
        async with asyncio.TaskGroup() as group:
            for entry in items:
                if not opened.left[entry.number]:
                    group.create_task(self._beside(entry))
        for entry in items:
            if opened.left[entry.number]:
                async with self.shift.exclusion.alone():
                    await self._write(entry, await self._outcome(entry, await self._begin(entry)))

    async def _beside(self, entry: Entry) -> None:
        # One more than there are turns at the engine, so that no turn waits for the queue's server or for a plan; but
        # none beside one that must be alone: whatever is under way when a worker ends is taken to have been beside
        # others.
        async with self.shift.begun, self.shift.exclusion.shared():
            outcome = await self._outcome(entry, await self._begin(entry))
        # The model need not wait for the disk of the queue's server.
        await self._write(entry, outcome)

    async def _begin(self, entry: Entry) -> int:
        """Count a try: how many there were, this one included; 0 or less if there must be none."""
        mark = token(self.shift.name)
        tries: int = await self._insist(lambda: self.shift.store.begin(self.job_id, entry.number, mark))
        if tries > 0:
            self._tokens[entry.number] = mark
        return tries

    async def _outcome(self, entry: Entry, tries: int) -> Outcome | None:
        """Run an item that was begun so often until it has a result; None if it must have none."""
        while True:
            if tries <= 0:
                return None
            if tries > self._most:
                message = f"it was begun {tries - 1} times, and each time its worker ended before it was done"
                return self._parked(entry, "worker_crashed", message)
            try:
                with self.shift.at_work() as share:
                    outcome, units = await self._answer(entry)
                if units is not None:
                    kind, count = units
                    self.units[kind] = self.units.get(kind, 0.0) + count
                    self.seconds += share.seconds
                return outcome
            except ProblemError as error:
                if tries >= self._most:
                    return problem_line(self.job_id, entry.number, entry.custom_id, error), "failed"
                await asyncio.sleep(tries)
            except Exception as error:
                log.error("an item failed unexpectedly", job=self.job_id, item=entry.number, exc_info=error)
                if tries >= self._most:
                    message = f"something failed inside the service, {tries} times; the log of the worker has the cause"
                    return self._parked(entry, "internal_error", message)
            tries = await self._begin(entry)

    async def _answer(self, entry: Entry) -> tuple[Outcome, Units | None]:
        """What running an item once comes to, and the work that it was, if that tells what such work costs.

        An item that begins before its worker has done another of its kind does not: it waits for what is prepared
        once, and jobs cut by its cost would have chunks of few items.

        Raises:
            ProblemError: one that passes.
        """
        began = time.perf_counter()
        try:
            task = task_at(entry.url)
            request = task.read(entry.body)
            warm = task.kind in self.shift.warm
            answer = await task.run(request, self.shift.engine)
        except ProblemError as error:
            if error.status in PASSING:
                raise
            return (problem_line(self.job_id, entry.number, entry.custom_id, error), "failed"), None
        self.shift.warm.add(task.kind)
        units = (task.kind, task.units(request)) if warm else None
        body = answer.model_dump(mode="json")
        log.debug("item done", job=self.job_id, item=entry.number, seconds=round(time.perf_counter() - began, 3))
        return (result_line(self.job_id, entry.number, entry.custom_id, body), "completed"), units

    async def _write(self, entry: Entry, outcome: Outcome | None) -> None:
        if outcome is not None:
            await self._insist(lambda: self.shift.store.write(self.job_id, entry.number, *outcome))
            self._tokens.pop(entry.number, None)

    def _parked(self, entry: Entry, code: str, message: str) -> Outcome:
        log.warning("item parked", job=self.job_id, item=entry.number, code=code)
        return error_line(self.job_id, entry.number, entry.custom_id, code, message), "failed"

    async def _insist(self, call: Callable[[], Awaitable[Any]]) -> Any:
        return await retry_until(call, self.shift.draining)
