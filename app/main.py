"""The application: routes, middleware, the model's life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.indexes.routes import router as retrieval
from app.jobs.jobs import Jobs, open_jobs
from app.jobs.routes import router as queueing
from app.jobs.work.worker import JobWorker
from app.loading import Loading
from app.openai.routes import router as openai
from app.ops.metrics import Metrics
from app.ops.metrics import router as measuring
from app.ops.routes import router as ops
from app.ops.tracing import Tracing
from app.settings.settings import Settings
from app.studio.routes import router as studio
from app.tasks import registry
from app.tasks.routes import task_routes
from app.web import handlers
from app.web.access.limiter import Limiter
from app.web.access.middleware import AccessMiddleware
from app.web.access.ring import open_ring
from app.web.drain import Drain, DrainMiddleware
from app.web.head_requests import HeadMiddleware
from app.web.middleware import AccessLog, BodyLimit, SecurityHeaders
from app.web.openapi import describe
from app.web.problems import Fault
from app.web.root_path import RestoreRootPath, StripRootPath
from models.language.default_weights import Progress
from models.language.scoring.batcher import BatchReport

ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-API-Key", "X-Request-ID"]
"""Request headers that pages of allowed origins may send."""

EXPOSED_HEADERS = ["Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"]
"""Response headers that they may read."""


def create_app(
    settings: Settings | None = None,
    *,
    progress: Progress = lambda what, share: None,
    on_failure: Callable[[Fault], None] = lambda reason: None,
) -> FastAPI:
    """The service.

    Args:
        settings: from the environment if left out.
        progress: receives how far the first conversion of the default model is.
        on_failure: called with the reason if the model cannot be loaded; the service stays up and answers 503.

    Raises:
        ProblemError: the file of API keys cannot be used.
    """
    settings = settings or Settings()
    ring = open_ring(settings)
    tracing = Tracing(settings.otlp_endpoint)
    drain = Drain(settings.drain_seconds)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.metrics = metrics = Metrics(lambda: loading.engine)
        app.state.limiter = limiter = Limiter(shared(settings), settings.rate, settings.quota)
        await limiter.start()
        async with open_jobs(settings) as jobs:
            app.state.jobs = jobs
            beside = partial(_beside, jobs=jobs, drain=drain, metrics=metrics, tracing=tracing)
            app.state.loading = loading = Loading(settings, progress, on_failure, beside)
            task = asyncio.create_task(loading.run())
            try:
                yield
            finally:
                loading.stop()
                metrics.close()
                if loading.engine is None:
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await limiter.stop()
                await asyncio.to_thread(tracing.close)

    app: FastAPI = FastAPIOffline(
        title="chainwright",
        version=version("chainwright"),
        summary="Unsupervised constrained text generation: keywords in, fluent sentences out; questions in, facts out.",
        lifespan=lifespan,
        telemetry=tracing.config,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.drain = drain
    for router in (task_routes(registry.TASKS), retrieval, queueing, openai, ops, measuring):
        app.include_router(router)
    if settings.studio == "on":
        app.include_router(studio)
    handlers.install(app)
    # The last one added is the first to see a request.
    limits = settings.limits
    if settings.root_path:
        app.add_middleware(RestoreRootPath, root=settings.root_path)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(BodyLimit, most=limits.max_body_bytes, seconds=limits.max_body_seconds)
    app.add_middleware(AccessMiddleware, ring=ring)
    app.add_middleware(DrainMiddleware, drain=drain)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(AccessLog)
    app.add_middleware(CorrelationIdMiddleware)
    if settings.root_path:
        app.add_middleware(StripRootPath, root=settings.root_path)
    describe(app, ring)
    return app


def shared(settings: Settings) -> str | None:
    """The Redis in which the services that share it count requests together; None if there is none."""
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else "off"
    return None if url == "off" else url


@asynccontextmanager
async def _beside(
    engine: Engine, jobs: Jobs | None, drain: Drain, metrics: Metrics, tracing: Tracing
) -> AsyncIterator[None]:
    """Measure and trace the engine, and work off jobs; a worker hands back its items once the service stops."""

    def on_batch(report: BatchReport) -> None:
        metrics.batch(report)
        tracing.batch(report)

    engine.batcher.on_batch, engine.batcher.origin = on_batch, tracing.origin
    engine.admission.tracer = tracing.tracer
    retrieval_of(engine).on_search = metrics.search
    if jobs is None or engine.settings.worker == "off":
        yield
        return
    worker = JobWorker(jobs, engine, engine.settings.worker_items, engine.settings.lease_seconds)

    async def hand_back() -> None:
        await drain.started.wait()
        worker.draining.set()

    async with worker.working():
        watching = asyncio.create_task(hand_back())
        try:
            yield
        finally:
            watching.cancel()
