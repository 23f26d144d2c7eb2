"""Batches of the work that all requests have for the model."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

urgency: ContextVar[int] = ContextVar("urgency", default=0)
"""Urgency of all that the current task submits: lower goes first, whatever its rank. Work that may wait has a higher
one, and then fills the batches of other work, or runs when there is no other."""

BACKGROUND_URGENCY = 2
"""Urgency from which nobody waits for a single answer: as much as fits goes together, and nobody lets a turn pass."""

MAX_LEAD = 1.0
"""Largest lead in model time of a regular caller over another that waits too, as a share of recent batch time."""

RECENT_BATCHES = 4
"""Batches that make up recent batch time, the longest of them: short and long ones alternate."""

FIXED_BATCH_TOKENS = 16
"""Cost of a batch whatever its size, in tokens: on two cores 17 tokens took 22 ms, 130 took 97."""


@dataclass(slots=True, eq=False)
class Regular:
    """A caller that asks again soon after each answer, until it leaves.

    Attributes:
        served: its share of its batches' seconds, beginning with that of the least served regular there.
    """

    served: float = 0.0


class Work(Protocol):
    """Work for the model's thread.

    Work of one kind that stands in the queue together runs together, by the first one's ``run``.
    """

    @property
    def kind(self) -> object:
        """Work of equal kinds may run together."""
        ...

    @property
    def cost(self) -> int:
        """Tokens that a forward would have to read at most."""
        ...

    @property
    def rank(self) -> int:
        """Lower ranks run first: short work that other work hangs on."""
        ...

    def run(self, together: Sequence[Any]) -> Sequence[Any]:
        """Run work of this kind, itself the first of it; one result each."""
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
        return [work.call() for work in together]


@dataclass(frozen=True, slots=True)
class BatchReport:
    """Report of one batch.

    Attributes:
        work: kind of its work, by the name of the class.
        jobs: pieces of work.
        cost: their tokens at most, reused ones included.
        waited: seconds that each waited before the batch began.
        seconds: duration, work that was run again after an error included.
        idle: seconds since the batch before it ended.
        origins: :attr:`Batcher.origin` of each, when it came.
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
    work: Work
    future: asyncio.Future[Any]
    since: float
    origin: object
    urgency: int
    caller: Regular | None


@dataclass(eq=False)
class Batcher:
    """Runs work in the model's thread, in the order of its coming, as much together as fits.

    There is no fixed waiting window: an idle model starts at once, and work that comes while it runs makes
    the next batch. So with one request there is no delay, and with many the batches grow by
    themselves.

    A small request that shared every batch of a large one would be as slow as it is. So a regular that has had more
    of the model's time than another that waits too, by :data:`MAX_LEAD`, lets a turn pass, unless those who have not
    lead a batch that it does not make more than twice as long: requests of like size share all of theirs. A batch's
    time is shared by the square roots of its costs, between by heads, where the large would pay for less than they
    take, and by work, where the small would have the model nearly to themselves. Batches are less full for it, so
    where only the whole work counts, from :data:`BACKGROUND_URGENCY` on, it is left out (docs/models.md).

    Work whose caller has gone (its task was cancelled) is dropped before it runs. An exception
    reaches only the caller whose work raised it.

    Attributes:
        executor: one thread.
        budget: most tokens of a batch, by the ``cost`` of work; a dearer piece runs by itself.
        on_batch: called with the report of every batch.
        origin: called when work comes; its value comes back in the batch's report.
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
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_BATCHES))

    def __post_init__(self) -> None:
        self._ended = self.clock()

    @property
    def waiting(self) -> int:
        """Pieces of work that have not begun."""
        return len(self._queue)

    @contextmanager
    def regular(self) -> Iterator[Regular]:
        """A caller that asks again soon after each answer, as long as this holds."""
        caller = Regular(min((one.served for one in self._regulars), default=0.0))
        self._regulars.add(caller)
        try:
            yield caller
        finally:
            self._regulars.remove(caller)

    async def submit(self, work: Work, caller: Regular | None = None) -> Any:
        """The result of a piece of work.

        Args:
            work: to be done.
            caller: of it, if it is a regular.

        Raises:
            Exception: that of running it.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(work, future, self.clock(), self.origin(), urgency.get(), caller))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def call(self, call: Callable[[], T]) -> T:
        """Run any call in the model's thread, by itself."""
        result: T = await self.submit(Alone(call))
        return result

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._take():
            self.began = began = self.clock()
            try:
                outcomes = await loop.run_in_executor(self.executor, _outcomes, [waiting.work for waiting in batch])
            finally:
                self.began = None
            self._report(batch, began)
            self._seconds.append(self._ended - began)
            self._charge(batch)
            for waiting, (result, error) in zip(batch, outcomes, strict=True):
                if waiting.future.cancelled():
                    continue
                if error is None:
                    waiting.future.set_result(result)
                else:
                    waiting.future.set_exception(error)
            # Callers that ask again at once are in the next batch.
            await asyncio.sleep(0)

    def _charge(self, batch: Sequence[_Waiting]) -> None:
        roots = [math.sqrt(waiting.work.cost) for waiting in batch]
        for waiting, root in zip(batch, roots, strict=True):
            if waiting.caller is not None and root:
                waiting.caller.served += self._seconds[-1] * root / sum(roots)

    def _report(self, batch: Sequence[_Waiting], began: float) -> None:
        ended = self.clock()
        idle, self._ended = began - self._ended, ended
        if self.on_batch is not None:
            waited = tuple(began - waiting.since for waiting in batch)
            cost = sum(waiting.work.cost for waiting in batch)
            work = type(batch[0].work).__name__.lower()
            origins = tuple(waiting.origin for waiting in batch)
            self.on_batch(BatchReport(work, len(batch), cost, waited, ended - began, idle, origins))

    def _take(self) -> list[_Waiting]:
        """The next batch: the most urgent work, of this the oldest of the first rank, and all of its kind that fits,
        however far behind; of the callers that lead too far, as much as the batch without them."""
        present = [waiting for waiting in self._queue if not waiting.future.cancelled()]
        present.sort(key=lambda waiting: (waiting.urgency, waiting.work.rank))
        leads = self._leaders(present)
        batch: list[_Waiting] = []
        cost = 0
        for leading in (False, True):
            limit = min(self.budget, 2 * cost + FIXED_BATCH_TOKENS) if leading else self.budget
            for waiting in present:
                fits = not batch or (waiting.work.kind == batch[0].work.kind and cost + waiting.work.cost <= limit)
                if fits and (waiting in leads) == leading:
                    batch.append(waiting)
                    cost += waiting.work.cost
        self._queue = deque(waiting for waiting in present if waiting not in batch)
        return batch

    def _leaders(self, present: Sequence[_Waiting]) -> set[_Waiting]:
        """Work of callers that had more of the model than another as urgent, by the lead that is allowed."""
        asking = [
            (waiting, waiting.caller) for waiting in present if waiting.caller and waiting.urgency < BACKGROUND_URGENCY
        ]
        least: dict[int, float] = {}
        for waiting, caller in asking:
            least[waiting.urgency] = min(least.get(waiting.urgency, math.inf), caller.served)
        lead = MAX_LEAD * max(self._seconds, default=0.0)
        return {waiting for waiting, caller in asking if caller.served > least[waiting.urgency] + lead}


def _outcomes(works: Sequence[Work]) -> list[tuple[Any, BaseException | None]]:
    """Result or error of each piece of work, all together if that goes well, else one by one."""
    try:
        return [(result, None) for result in works[0].run(works)]
    except Exception as error:
        if len(works) == 1:
            return [(None, error)]
    return [_outcomes([work])[0] for work in works]
