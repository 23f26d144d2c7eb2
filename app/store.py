"""The score store of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog

from app.settings import Settings
from app.store_server import StoreServer, StoreServerError
from models.language.score_store import ScoreStore

log = structlog.get_logger()


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[ScoreStore | None]:
    """The store, with a server of its own unless the settings name one; None if it is off.

    Never raises for want of a server: the store then keeps scores in memory only.
    """
    if settings.score_cache_memory == 0:
        yield None
        return
    url = settings.redis_url.get_secret_value() if settings.redis_url else None
    server = await _server(settings) if url is None else None
    if server is not None:
        url = server.url
    try:
        store = await ScoreStore.open(settings.score_cache_memory, None if url == "off" else url)
        if server is not None:
            server.on_start = store.hurry
        try:
            yield store
        finally:
            await store.close()
            log.info("score store closed", **asdict(store.counters))
    finally:
        if server is not None:
            await server.stop()


async def _server(settings: Settings) -> StoreServer | None:
    try:
        server = StoreServer(settings.state_dir / "scores", settings.redis_memory)
        await server.start()
    except StoreServerError as error:
        log.warning("scores are kept in memory only", reason=str(error))
        return None
    return server
