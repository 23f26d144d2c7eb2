"""The score cache of the settings, and its server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog

from app.embedded.score_server import ScoreServer
from app.embedded.server import EmbeddedServerError
from app.settings.settings import Settings
from models.scores.cache import ScoreCache

log = structlog.get_logger()


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[ScoreServer | None]:
    """A server for scores; None if the settings want none, or if none can be started."""
    server = None
    if settings.score_cache_memory and settings.redis_url is None:
        try:
            server = ScoreServer(settings.state_dir / "scores", settings.redis_memory)
            await server.start()
        except EmbeddedServerError as error:
            log.warning("scores are kept in memory only", reason=str(error))
            server = None
    try:
        yield server
    finally:
        if server is not None:
            await server.stop()


@asynccontextmanager
async def open_scores(settings: Settings, server: ScoreServer | None) -> AsyncIterator[ScoreCache | None]:
    """The cache over ``server`` or over the server that the settings name; None if it is off."""
    if not settings.score_cache_memory:
        yield None
        return
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else None
    if server is not None:
        url = server.url
    store = await ScoreCache.open(settings.score_cache_memory, None if url == "off" else url)
    if server is not None:
        server.on_start = store.hurry
    try:
        yield store
    finally:
        await store.close()
        log.info("score cache closed", **asdict(store.counters))
