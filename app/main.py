"""The application: routes, middleware, the model's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import handlers
from app.engine import Engine
from app.examples import add_examples
from app.jobs.jobs import Jobs, open_jobs
from app.jobs.routes import router as queueing
from app.jobs.worker import JobWorker
from app.loading import Loading
from app.middleware import AccessLog, BodyLimit
from app.ops.metrics import Metrics
from app.ops.metrics import router as measuring
from app.ops.routes import router as ops
from app.problems import Problem
from app.retrieval.routes import router as retrieval
from app.score.routes import router as scoring
from app.sentences.routes import router as sentences
from app.settings import Settings
from models.language.default_weights import Progress

UPLOADS = (("PUT", "/v1/indexes/"), ("POST", "/v1/jobs"))
"""Methods and beginnings of paths that read their bodies themselves, with bounds of their own."""


def create_app(
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    on_failure: Callable[[str], None] | None = None,
) -> FastAPI:
    """The service.

    Args:
        settings: from the environment if left out.
        progress: told how far the first conversion of the default model is.
        on_failure: called with the reason if the model cannot be loaded; the service then
            stays up and answers 503.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loading = loading = Loading(
            settings, progress or (lambda what, share: None), on_failure or (lambda reason: None)
        )
        app.state.metrics = measured = Metrics(lambda: loading.engine)
        loading.on_batch, loading.on_search = measured.batch, measured.search
        async with open_jobs(settings) as jobs:
            app.state.jobs = jobs
            if jobs is not None and settings.worker == "on":
                loading.beside = partial(_working, jobs)
            task = asyncio.create_task(loading.run())
            try:
                yield
            finally:
                loading.stop()
                measured.close()
                if loading.engine is None:
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    app: FastAPI = FastAPIOffline(
        title="chainwright",
        version="0.1.0",
        summary="Unsupervised constrained text generation: keywords in, fluent sentences out; questions in, facts out.",
        lifespan=lifespan,
    )
    app.state.settings = settings
    for router in (sentences, scoring, retrieval, queueing, ops, measuring):
        app.include_router(router)
    handlers.install(app)
    app.add_middleware(BodyLimit, most=settings.limits.max_body_bytes, uploads=UPLOADS)
    app.add_middleware(AccessLog)
    app.add_middleware(CorrelationIdMiddleware)
    _describe_problems(app)
    add_examples(app)
    return app


def _working(jobs: Jobs, engine: Engine) -> AbstractAsyncContextManager[None]:
    settings = jobs.settings
    return JobWorker(jobs, engine, settings.worker_items, settings.lease_seconds).working()


def _describe_problems(app: FastAPI) -> None:
    """Add the Problem schema to the OpenAPI document, which the routes refer to."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
        return document

    app.openapi = openapi  # type: ignore[method-assign]
