"""The engine of a request, once the model is loaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.engine.engine import Engine


async def ready_engine(request: Request) -> Engine:
    """The engine.

    Raises:
        ProblemError: 503 while the model is loading or if it could not be loaded.
    """
    engine: Engine | None = request.app.state.loading.engine
    if engine is None:
        raise request.app.state.loading.problem()
    return engine


ReadyEngine = Annotated[Engine, Depends(ready_engine)]
