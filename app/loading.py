"""Loading of the model beside the running server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import structlog

from app.engine.device import device_fault
from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, failure
from models.language.default_weights import ConversionError, Progress
from models.language.device import DeviceError
from models.language.forward.forward import UnsupportedModelError
from models.language.loading import LoadingError

log = structlog.get_logger()

LOADING_ERRORS = (LoadingError, ConversionError, DeviceError, UnsupportedModelError, ValueError, OSError)
"""Errors of loading a model that its user can mend."""


def fault_of(error: BaseException) -> Fault:
    """The fault of a model that cannot be loaded, in one line, under the setting to mend."""
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
    """State of the model's loading beside the server.

    Attributes:
        settings: of the process.
        progress: receives how far the first conversion of the default model is.
        on_failure: called with the reason if the model cannot be loaded.
        beside: entered with the engine once it is there, left before it is closed.
        engine: None until the model is loaded.
        failure: why it could not be loaded.
    """

    settings: Settings
    progress: Progress
    on_failure: Callable[[Fault], None]
    beside: Callable[[Engine], AbstractAsyncContextManager[None]]
    engine: Engine | None = None
    failure: Fault | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Load, and keep the engine open until :meth:`stop`."""
        try:
            async with open_engine(self.settings, self.progress) as engine:
                self.engine = engine
                log.info(
                    "model loaded",
                    model=engine.model.name,
                    fingerprint=engine.model.fingerprint,
                    device=engine.model.device,
                    precision=engine.model.precision,
                )
                async with self.beside(engine):
                    await self._stop.wait()
        except Exception as error:  # whatever it is, the task must not die unheard
            self.failure = fault_of(error)
            known = isinstance(error, LOADING_ERRORS)
            log.error("model not loaded", model=self.settings.model, reason=self.failure.message, exc_info=not known)
            self.on_failure(self.failure)
        finally:
            self.engine = None

    def stop(self) -> None:
        """Let :meth:`run` end."""
        self._stop.set()

    def problem(self) -> ProblemError:
        """The refusal while there is no engine: 503."""
        if self.failure is not None:
            message = f"the model could not be loaded: {self.failure.message}"
            remedy = f"{self.failure.field}: {self.failure.remedy}, and start the service again"
            return failure(503, self.failure.code, message, remedy)
        remedy = "try again shortly; /ready tells when"
        return failure(503, Code.LOADING, "the model is still loading", remedy, headers={"Retry-After": "2"})
