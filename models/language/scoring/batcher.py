"""The one place where the work of all requests meets."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

urgency: ContextVar[int] = ContextVar("urgency", default=0)
"""Of all that the current task submits: lower goes first, whatever its rank. What may wait sets it higher,
and then fills the batches of what may not, or runs when there is nothing else."""

PATIENCE = 0.2
"""Of the time of the last batches: as long are regulars waited for at most."""

LAST = 4
"""Batches that are looked at for it: short and long ones alternate."""

BACKGROUND = 2
"""Urgency from which nobody waits for a single answer: what fits goes together, and nobody lets a turn pass."""
LEAD = 1.0
"""Of the time of the last batches: how much more than another that waits too a regular may have had of the model."""

FIXED = 16
"""Tokens that take as long as what a batch costs whatever its size: on two cores 17 tokens took 22 ms, 130 took 97."""


@dataclass(slots=True, eq=False)
class Regular:
    """One who asks again soon after each answer, until it leaves.

    Attributes:
        urgency: of what it asks.
        served: its share of its batches' seconds, beginning with that of the least served regular there.
    """

    urgency: int
    served: float = 0.0


class Work(Protocol):
    """Work for the model's thread.

    Jobs of one kind that stand in the queue together run together, by the first one's ``run``.
    """

    @property
    def kind(self) -> object:
        """Jobs of equal kinds may run together."""
        ...

    @property
    def cost(self) -> int:
        """Tokens that a forward would have to read at most."""
        ...

    @property
    def rank(self) -> int:
        """Jobs of a lower rank run first: short ones that others hang on."""
        ...

    def run(self, together: Sequence[Any]) -> Sequence[Any]:
        """Run jobs of this kind, itself the first of them; one result each."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """Any call, run by itself."""

    call: Callable[[], Any]
    cost: int = 0
    rank: int = 1

    @property
    def kind(self) -> object:
        return self

    def run(self, together: Sequence[Alone]) -> list[Any]:
        return [job.call() for job in together]


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch was.

    Attributes:
        work: what kind of jobs, by the name of their class.
        jobs: how many.
        cost: their tokens at most, reused ones included.
        waited: seconds that each waited before the batch began.
        seconds: what it took, jobs that were run again after an error included.
        idle: seconds since the batch before it ended.
        origins: what :attr:`Batcher.origin` said when each job came.
    """

    work: str
    jobs: int
    cost: int
    waited: tuple[float, ...]
    seconds: float
    idle: float
    origins: tuple[object, ...] = ()


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Work
    future: asyncio.Future[Any]
    since: float
    origin: object
    urgency: int
    caller: Regular | None


@dataclass(eq=False)
class Batcher:
    """Runs jobs in the model's thread, in the order of their coming, as many together as fit.

    There is no fixed waiting window: an idle model starts at once, and what comes while it runs makes
    the next batch. So with one request there is no delay, and with many the batches grow by
    themselves.

    Of many chains some stand in a batch and the others wait for it to end. Left so, they take turns for
    ever, in two batches half as full as one would be. So before the next batch those answered last may
    say what they ask next, if they are regulars: a sampler needs some milliseconds for it, which are
    waited for, but not longer than :data:`PATIENCE` allows and not where something more urgent waits.

    A small request that shared every batch of a large one would be as slow as it is. So a regular that has had more
    of the model's time than another that waits too, by :data:`LEAD`, lets a turn pass, unless those who have not lead
    a batch that it does not make more than twice as long: requests of like size share all of theirs. A batch's time is
    shared by the square roots of its jobs' costs, between by heads, where the large would pay for less than they take,
    and by work, where the small would have the model nearly to themselves. Batches are less full for it, so where only
    the whole work counts, from :data:`BACKGROUND` on, it is left out (figures: benchmarks/jobs.json).

    A job whose caller has gone (its task was cancelled) is dropped before it runs. An exception
    reaches only the caller of the job that raised it.

    Attributes:
        executor: one thread.
        budget: most tokens of a batch, by the jobs' ``cost``; a dearer job runs by itself.
        on_batch: told of every batch when it is done.
        origin: called when a job comes; what it says comes back in the batch's report.
        clock: seconds since some moment; the event loop's time must go as fast.
        began: when the batch that runs began, by the clock; None between batches.
    """

    executor: Executor
    budget: int = 1024
    on_batch: Callable[[BatchReport], None] | None = None
    origin: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.perf_counter
    began: float | None = None
    _queue: deque[_Waiting] = field(default_factory=deque)
    _draining: asyncio.Task[None] | None = None
    _ended: float = field(init=False)
    _regulars: set[Regular] = field(default_factory=set)
    _awaited: set[Regular] = field(default_factory=set)
    _returned: asyncio.Event = field(default_factory=asyncio.Event)
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=LAST))

    def __post_init__(self) -> None:
        self._ended = self.clock()

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._queue)

    @contextmanager
    def regular(self) -> Iterator[Regular]:
        """One who asks again soon after each answer, as long as this holds."""
        caller = Regular(urgency.get(), min((one.served for one in self._regulars), default=0.0))
        self._regulars.add(caller)
        try:
            yield caller
        finally:
            self._regulars.remove(caller)
            self._back(caller)

    async def submit(self, job: Work, caller: Regular | None = None) -> Any:
        """The result of a job.

        Args:
            job: the work.
            caller: who asks, if it is a regular.

        Raises:
            Exception: what running it raised.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(job, future, self.clock(), self.origin(), urgency.get(), caller))
        self._back(caller, urgency.get())
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def call(self, work: Callable[[], T]) -> T:
        """Run any call in the model's thread, by itself."""
        result: T = await self.submit(Alone(work))
        return result

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._take():
            self.began = began = self.clock()
            try:
                outcomes = await loop.run_in_executor(self.executor, _outcomes, [waiting.job for waiting in batch])
            finally:
                self.began = None
            self._report(batch, began)
            self._charge(batch, self._ended - began)
            for waiting, (result, error) in zip(batch, outcomes, strict=True):
                if waiting.future.cancelled():
                    continue
                if error is None:
                    waiting.future.set_result(result)
                else:
                    waiting.future.set_exception(error)
            self._seconds.append(self._ended - began)
            gone = {waiting.caller for waiting in batch if waiting.future.cancelled()}
            await self._reunite({waiting.caller for waiting in batch} - gone)

    @staticmethod
    def _charge(batch: Sequence[_Waiting], seconds: float) -> None:
        roots = [math.sqrt(waiting.job.cost) for waiting in batch]
        for waiting, root in zip(batch, roots, strict=True):
            if waiting.caller is not None and root:
                waiting.caller.served += seconds * root / sum(roots)

    async def _reunite(self, answered: Iterable[Regular | None]) -> None:
        """Wait until those who were answered have asked again or left, for a while."""
        self._awaited = {caller for caller in answered if caller is not None}
        alone = len(self._awaited) == 1 and not self._queue
        self._returned.clear()
        self._back(None, min((waiting.urgency for waiting in self._queue), default=None))
        if not alone:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE * max(self._seconds)):
                    await self._returned.wait()
        self._awaited = set()

    def _back(self, caller: Regular | None, urgent: int | None = None) -> None:
        """A regular is back or gone; of what is as urgent as this, none waits for what is less."""
        self._awaited = {
            one for one in self._awaited if one is not caller and (urgent is None or one.urgency <= urgent)
        }
        if not self._awaited:
            self._returned.set()

    def _report(self, batch: Sequence[_Waiting], began: float) -> None:
        ended = self.clock()
        idle, self._ended = began - self._ended, ended
        if self.on_batch is not None:
            waited = tuple(began - waiting.since for waiting in batch)
            cost = sum(waiting.job.cost for waiting in batch)
            work = type(batch[0].job).__name__.lower()
            origins = tuple(waiting.origin for waiting in batch)
            self.on_batch(BatchReport(work, len(batch), cost, waited, ended - began, idle, origins))

    def _take(self) -> list[_Waiting]:
        """The next batch: the most urgent job, of these the oldest of the first rank, and those of its kind that fit,
        however far behind; of those who lead too far, as much as the batch without them."""
        present = [waiting for waiting in self._queue if not waiting.future.cancelled()]
        present.sort(key=lambda waiting: (waiting.urgency, waiting.job.rank))
        leads = self._leaders(present)
        batch: list[_Waiting] = []
        cost = 0
        for leading in (False, True):
            limit = min(self.budget, 2 * cost + FIXED) if leading else self.budget
            for waiting in present:
                fits = not batch or (waiting.job.kind == batch[0].job.kind and cost + waiting.job.cost <= limit)
                if fits and (waiting in leads) == leading:
                    batch.append(waiting)
                    cost += waiting.job.cost
        self._queue = deque(waiting for waiting in present if waiting not in batch)
        return batch

    def _leaders(self, present: Sequence[_Waiting]) -> set[_Waiting]:
        """Those who had more of the model than another as urgent, by the lead that is allowed."""
        asking = [(waiting, waiting.caller) for waiting in present if waiting.caller and waiting.urgency < BACKGROUND]
        least: dict[int, float] = {}
        for waiting, caller in asking:
            least[waiting.urgency] = min(least.get(waiting.urgency, math.inf), caller.served)
        lead = LEAD * max(self._seconds, default=0.0)
        return {waiting for waiting, caller in asking if caller.served > least[waiting.urgency] + lead}


def _outcomes(jobs: Sequence[Work]) -> list[tuple[Any, BaseException | None]]:
    """Result or error of each job, all together if that works, else one by one."""
    try:
        return [(result, None) for result in jobs[0].run(jobs)]
    except Exception as error:
        if len(jobs) == 1:
            return [(None, error)]
    return [_outcomes([job])[0] for job in jobs]
