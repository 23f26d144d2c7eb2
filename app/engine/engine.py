"""The loaded model, the one thread that runs it, and the admission of requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from app.engine.admission import Admission
from app.engine.memory import give_back
from app.engine.scores import open_scores, open_server
from app.languages.registry import masks
from app.settings.settings import Limits, Settings
from models.language.default_weights import Progress
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.scores.cache import ScoreCache

T = TypeVar("T")


@dataclass(eq=False)
class Engine:
    """The loaded model, its thread, and the parts that features build upon them.

    Attributes:
        settings: of the process.
        loaded: the loaded model; None where no work asks for it.
        batcher: batches the work of all requests in the model's thread.
        admission: bounds how many requests run and wait.
        scores: the score cache; None if the settings turn it off.
        progress: receives how far a conversion of the default model is.
    """

    settings: Settings
    loaded: LoadedModel | None
    batcher: Batcher
    admission: Admission
    scores: ScoreCache | None = None
    progress: Progress = lambda what, share: None
    _parts: dict[Callable[[Engine], Any], Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def model(self) -> LoadedModel:
        """The loaded model."""
        assert self.loaded is not None, "the engine was opened without its model"
        return self.loaded

    @property
    def limits(self) -> Limits:
        """The most that a request may ask for."""
        return self.settings.limits

    def part(self, make: Callable[[Engine], T]) -> T:
        """A feature's own state over the engine: made once by ``make``, closed with the engine.

        Call it on the event loop. What has a method ``close()`` is closed by it, the last made first.
        """
        if make not in self._parts:
            self._parts[make] = make(self)
        made: T = self._parts[make]
        return made

    def close(self) -> None:
        """Close the parts."""
        while self._parts:
            _, made = self._parts.popitem()
            if hasattr(made, "close"):
                made.close()


@asynccontextmanager
async def open_engine(settings: Settings, progress: Progress, *, with_model: bool = True) -> AsyncIterator[Engine]:
    """Load the model in the thread that will run it, open the score cache, and close both at the end.

    Without its model it loads and opens nothing: for work that brings a model of its own.

    Raises:
        LoadingError, ConversionError, UnsupportedModelError: see :func:`models.language.loading.load`.
    """
    executor = ThreadPoolExecutor(1, thread_name_prefix="model")
    try:
        if not with_model:
            with closing(Engine(settings, None, Batcher(executor), Admission(1, 0), progress=progress)) as engine:
                yield engine
            return
        loop = asyncio.get_running_loop()
        load_model = partial(
            load,
            settings.model,
            cache=settings.cache_dir,
            progress=progress,
            device=settings.device,
            precision=settings.precision,
            offline=settings.offline,
            model_source=settings.model_source,
            masks=masks(settings.rules()),
            threads=settings.torch_threads,
        )
        loading = loop.run_in_executor(executor, load_model)
        async with open_server(settings) as server:
            model = await loading
            # After loading, which holds up the event loop: a first try would seem slow.
            async with open_scores(settings, server) as scores:
                admission = Admission(
                    settings.limits.max_running,
                    settings.limits.max_waiting,
                    lambda: loop.run_in_executor(None, give_back),
                )
                with closing(Engine(settings, model, Batcher(executor), admission, scores, progress)) as engine:
                    yield engine
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
