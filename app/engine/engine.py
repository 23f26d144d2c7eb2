"""The loaded model, the one thread that runs it, and the admission of requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.engine.admission import Admission
from app.engine.memory import give_back
from app.engine.scores import open_server, open_store
from app.indexes.opened import Retrieval
from app.settings.settings import Limits, Settings
from models.language.default_weights import Progress
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.scores.cache import ScoreCache


@dataclass(eq=False)
class Engine:
    """All that a request needs of the process.

    Attributes:
        model: the loaded model.
        batcher: where the work of all requests meets.
        admission: who may use it.
        retrieval: indexes and the model that writes their keys.
        limits: the most that a request may ask for.
        scores: cached scores from before; None if the settings turn it off.
    """

    model: LoadedModel
    batcher: Batcher
    admission: Admission
    retrieval: Retrieval
    limits: Limits = field(default_factory=Limits)
    scores: ScoreCache | None = None


def load_model(settings: Settings, progress: Progress) -> LoadedModel:
    """Load the model of the settings; slow, so call it in a thread.

    Raises:
        models.language.loading.LoadingError: see :func:`models.language.loading.load`.
        models.language.default_weights.ConversionError: likewise.
        models.language.scorer.UnsupportedModelError: likewise.
    """
    return load(
        settings.model,
        cache=settings.cache_dir,
        progress=progress,
        device=settings.device,
        precision=settings.precision,
        offline=settings.offline,
        rules=settings.rules(),
        threads=settings.torch_threads,
    )


@asynccontextmanager
async def open_engine(settings: Settings, progress: Progress) -> AsyncIterator[Engine]:
    """Load the model in the thread that will run it, open the store, and close both at the end."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="model")
    try:
        loading = asyncio.get_running_loop().run_in_executor(executor, load_model, settings, progress)
        async with open_server(settings) as server:
            model = await loading
            # After loading, which holds up the event loop: a first try would seem slow.
            async with open_store(settings, server) as store:
                loop = asyncio.get_running_loop()
                admission = Admission(
                    settings.limits.max_running,
                    settings.limits.max_waiting,
                    lambda: loop.run_in_executor(None, give_back),
                )
                batcher = Batcher(executor)
                retrieval = Retrieval(settings, batcher, progress, model)
                try:
                    yield Engine(model, batcher, admission, retrieval, settings.limits, store)
                finally:
                    retrieval.close()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
