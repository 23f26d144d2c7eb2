"""Opened indexes, and the model that writes their keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from app.engine.admission import Admission
from app.engine.engine import Engine
from app.indexes.builds import Builds
from app.indexes.library import Library
from app.indexes.problems import MODEL_ERRORS, as_problem, model_problem
from app.settings.settings import Limits, Settings
from models.language.default_weights import Progress
from models.language.loading import source_of
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.retrieval.index.live import LiveIndex
from models.retrieval.loading import KeyTokenizer, LoadedKeyModel, load_key_model

log = structlog.get_logger()

SHIPPED_ADAPTER = Path(__file__).parents[2] / "models" / "retrieval" / "adapters" / "kgclue"
"""The default model's adapter; it may be left out of an installation."""


@dataclass(frozen=True, slots=True)
class SearchReport:
    """A search that is done, for the metrics."""

    questions: int  # answered
    seconds: float


@dataclass(eq=False)
class Retrieval:
    """Indexes, and the model that writes their keys, loaded when a search first asks for it."""

    settings: Settings
    batcher: Batcher  # the model's thread, shared with sampling
    progress: Progress = lambda what, share: None  # of the first conversion of the default model
    sampling: LoadedModel | None = None  # the model that samples, if it is loaded
    library: Library = field(init=False)
    builds: Builds = field(init=False)
    on_search: Callable[[SearchReport], None] | None = None  # called with every search that is done
    _loading: asyncio.Task[LoadedKeyModel] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.library = open_library(self.settings, self.progress)
        self.builds = Builds(self.library)

    @property
    def limits(self) -> Limits:
        """Limits of a request."""
        return self.settings.limits

    def open(self, name: str, field: str = "name") -> LiveIndex:
        """An index whose name came in ``field``, read from the disk at first.

        Raises:
            ProblemError: 404, 409 or 422.
        """
        with as_problem(self.library.root, field):
            return self.library.open(name)

    @asynccontextmanager
    async def turn(
        self, name: str, admission: Admission, field: str = "name"
    ) -> AsyncIterator[tuple[LiveIndex, LoadedKeyModel]]:
        """An index and the model, once it is the request's turn, which ends with the context.

        Raises:
            ProblemError: as :meth:`open` and :meth:`model`; 429 if too many wait.
        """
        live = await asyncio.to_thread(self.open, name, field)
        async with admission.take():
            yield live, await self.model()

    async def model(self) -> LoadedKeyModel:
        """The model that writes keys; requests that come while it loads wait for the one loading.

        Raises:
            ProblemError: 503 if it cannot be loaded.
        """
        if self._loading is None or (self._loading.done() and not _succeeded(self._loading)):
            self._loading = asyncio.create_task(self._load())
        try:
            # Shielded: it is not for one request alone.
            return await asyncio.shield(self._loading)
        except MODEL_ERRORS as error:
            raise model_problem(error) from error

    async def _load(self) -> LoadedKeyModel:
        settings, sampling = self.settings, self.sampling
        same = model_name(settings) == settings.model
        tokenizer = await asyncio.to_thread(lambda: self.library.tokenizer)
        loaded: LoadedKeyModel = await self.batcher.call(
            partial(
                load_key_model,
                model_name(settings),
                adapter_of(settings),
                tokenizer,
                cache=settings.cache_dir,
                progress=self.progress,
                device=settings.device,
                precision=settings.precision,
                offline=settings.offline,
                model_source=settings.model_source,
                threads=settings.torch_threads,
                bare=sampling.scorer if sampling is not None and same else None,
            )
        )
        log.info("model of keys loaded", model=loaded.name, adapter=str(loaded.adapter), fingerprint=loaded.fingerprint)
        return loaded

    def close(self) -> None:
        """Let builds end, and drop a loading that nobody waits for."""
        self.builds.stop()
        if self._loading is not None:
            self._loading.cancel()


def open_retrieval(engine: Engine) -> Retrieval:
    """Indexes over an engine: keys are written in its thread, by its own model where that is the same one."""
    return Retrieval(engine.settings, engine.batcher, engine.progress, engine.loaded)


def retrieval_of(engine: Engine) -> Retrieval:
    """The engine's indexes, opened once and closed with it."""
    return engine.part(open_retrieval)


def open_library(settings: Settings, progress: Progress = lambda what, share: None) -> Library:
    """The indexes of the settings' state directory."""

    def read_tokenizer() -> KeyTokenizer:
        return KeyTokenizer.load(key_model_folder(settings, progress))

    return Library(settings.state_dir / "indexes", read_tokenizer)


def model_name(settings: Settings) -> str:
    """The model that writes keys."""
    return settings.model if settings.retrieval_model is None else settings.retrieval_model


def key_model_folder(settings: Settings, progress: Progress) -> str:
    """Its folder, fetched if it is not here.

    Raises:
        LoadingError, ConversionError: see :func:`models.language.loading.source_of`.
    """
    return source_of(model_name(settings), settings.cache_dir, progress, settings.model_source, settings.offline)


def adapter_of(settings: Settings) -> str | Path | None:
    """Its adapter, a folder or a name that the source of models has; None for none."""
    if settings.retrieval_adapter == "none":
        return None
    if settings.retrieval_adapter != "default":
        return settings.retrieval_adapter
    fits = model_name(settings) == "default" and (SHIPPED_ADAPTER / "adapter_config.json").is_file()
    return SHIPPED_ADAPTER if fits else None


def _succeeded(task: asyncio.Task[LoadedKeyModel]) -> bool:
    return not task.cancelled() and task.exception() is None
