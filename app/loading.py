"""Loads the model beside the running server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

import structlog

from app.engine.device import device_fault
from app.engine.engine import Engine, open_engine
from app.indexes.opened import SearchReport, retrieval_of
from app.ops.tracing import Tracing
from app.settings.settings import Settings
from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from models.language.default_weights import ConversionError, Progress
from models.language.device import DeviceError
from models.language.loading import LoadingError
from models.language.scoring.batcher import BatchReport
from models.language.scoring.scorer import UnsupportedModelError

log = structlog.get_logger()

LOADING_ERRORS = (LoadingError, ConversionError, DeviceError, UnsupportedModelError, ValueError, OSError)
"""What loading a model may raise that its user can mend."""


def fault_of(error: BaseException) -> Fault:
    """Why a model could not be loaded, in one line, and which setting to mend."""
    if isinstance(error, DeviceError):
        return device_fault(error)
    return Fault(
        field="CHAINWRIGHT_MODEL",
        code=Code.UNUSABLE_MODEL,
        message=" ".join(str(error).split()) or repr(error),
        remedy="name another model, or mend this one",
    )


@dataclass(eq=False)
class Loading:
    """How far the model is.

    Attributes:
        settings: which model.
        progress: told how far the first conversion of the default model is.
        on_failure: called with the reason if the model cannot be loaded.
        on_batch: told of every batch of the model.
        on_search: told of every search.
        tracing: makes spans of turns and batches.
        beside: open as long as the engine is.
        engine: the engine, once the model is loaded.
        failure: why it could not be loaded.
    """

    settings: Settings
    progress: Progress
    on_failure: Callable[[Fault], None]
    on_batch: Callable[[BatchReport], None] | None = None
    on_search: Callable[[SearchReport], None] | None = None
    tracing: Tracing | None = None
    beside: Callable[[Engine], AbstractAsyncContextManager[None]] | None = None
    engine: Engine | None = None
    failure: Fault | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Load, and keep the engine open until :meth:`stop`."""
        try:
            async with open_engine(self.settings, self.progress) as engine:
                engine.batcher.on_batch = self._batch
                if self.tracing is not None:
                    engine.batcher.origin = self.tracing.origin
                    engine.admission.tracer = self.tracing.tracer
                retrieval_of(engine).on_search = self.on_search
                self.engine = engine
                log.info(
                    "model loaded",
                    model=engine.model.name,
                    fingerprint=engine.model.fingerprint,
                    device=engine.model.device,
                    precision=engine.model.precision,
                )
                async with self.beside(engine) if self.beside is not None else nullcontext():
                    await self._stop.wait()
        except Exception as error:  # whatever it is, the task must not die unheard
            self.failure = fault_of(error)
            known = isinstance(error, LOADING_ERRORS)
            log.error("model not loaded", model=self.settings.model, reason=self.failure.message, exc_info=not known)
            self.on_failure(self.failure)
        finally:
            self.engine = None

    def _batch(self, report: BatchReport) -> None:
        if self.on_batch is not None:
            self.on_batch(report)
        if self.tracing is not None:
            self.tracing.batch(report)

    def stop(self) -> None:
        """Let :meth:`run` end."""
        self._stop.set()

    def problem(self) -> ProblemError:
        """Why no engine can be had: 503."""
        if self.failure is not None:
            fault = Fault(
                field="",
                code=self.failure.code,
                message=f"the model could not be loaded: {self.failure.message}",
                remedy=f"{self.failure.field}: {self.failure.remedy}, and start the service again",
            )
            return ProblemError(503, [fault])
        fault = Fault(
            field="",
            code=Code.LOADING,
            message="the model is still loading",
            remedy="try again shortly; /ready tells when",
        )
        return ProblemError(503, [fault], {"Retry-After": "2"})
