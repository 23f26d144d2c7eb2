"""A model in virtual time: what depends on durations is tested exactly, whatever else the machine does."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from models.language.scoring.batcher import Batcher

T = TypeVar("T")


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing: the time is then what it would be after the wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes while nothing can be done, and at once. For what lives in one thread."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, run in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(scenario)


@dataclass(eq=False)
class VirtualModel(Executor):
    """Takes one batch at a time, which lasts as long as it says.

    Attributes:
        batches: when each began, and the names of its jobs in alphabetical order.
    """

    batches: list[tuple[float, list[str]]] = field(default_factory=list)
    _lasts: float = 0.0

    def begin(self, names: list[str], seconds: float) -> None:
        """To be called by a batch that runs."""
        self.batches.append((asyncio.get_running_loop().time(), sorted(names)))
        self._lasts = seconds

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        outcome = fn(*args, **kwargs)
        asyncio.get_running_loop().call_later(self._lasts, future.set_result, outcome)
        return future

    def batcher(self) -> Batcher:
        """One before this model, in the same time."""
        return Batcher(self, clock=asyncio.get_running_loop().time)

    @property
    def names(self) -> list[list[str]]:
        """Who was in each batch."""
        return [names for _, names in self.batches]
