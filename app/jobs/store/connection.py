"""Connection to the queue's Redis server, and its failures as problems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import redis.asyncio
import structlog
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)

from app.web.codes import Code
from app.web.problems import failure

log = structlog.get_logger()

Redis: TypeAlias = Any
"""A redis.asyncio.Redis that decodes replies; redis-py's types allow bytes all the same."""

AWAY = (ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, OutOfMemoryError, OSError)
"""Transient errors: the server is away, loads its data, is a replica for the moment, or is full."""

TIMEOUT = 3.0
"""Seconds of one call, its second and third try included."""

DISK_SECONDS = 2.0
"""Longest wait for the disk of a server that does not wait for it by itself."""


RETRY_AFTER = {"Retry-After": "5"}
"""Headers of the problems of an unavailable queue."""


class _BoundedPipeline(Pipeline):
    """Pipeline that ends within :data:`TIMEOUT`."""

    async def execute(self, raise_on_error: bool = True) -> Any:
        async with asyncio.timeout(TIMEOUT):
            return await super().execute(raise_on_error)


class _BoundedRedis(redis.asyncio.Redis):
    """Client whose every call ends within :data:`TIMEOUT`.

    redis-py's own ``socket_timeout`` sends under asyncio.wait_for, which before Python 3.12 now and then swallows the
    cancelling of its task (bpo-37658): a chunk that should stop would never.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with asyncio.timeout(TIMEOUT):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _BoundedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    """Client of a server; a call that failed is tried twice more, all within :data:`TIMEOUT`."""
    client: Redis = _BoundedRedis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.05), 2),
        decode_responses=True,
    )
    try:
        yield client
    finally:
        await client.aclose()


async def wait_until_on_disk(connection: Redis) -> None:
    """Wait until the writes of this connection are on the server's disk, where the server keeps a file and can tell.

    Servers before 7.2 cannot; with ``appendfsync always`` they need not.
    """
    try:
        local, _ = await connection.execute_command("WAITAOF", 1, 0, int(DISK_SECONDS * 1000))
    except ResponseError as error:
        log.debug("the queue's server does not tell when a write is on its disk", reason=str(error))
    else:
        if not local:
            log.warning("the disk of the queue's server is slow: a write is not on it yet", seconds=DISK_SECONDS)


async def warn_of_loss(client: Redis) -> None:
    """Warn in the log of a server configuration that could lose jobs."""
    try:
        kept = await client.config_get("maxmemory-policy", "appendonly")
    except (RedisError, OSError) as error:
        log.info("the queue's server does not tell its configuration", reason=str(error))
        return
    if kept.get("maxmemory-policy") != "noeviction":
        log.warning("the queue's server may evict jobs; set its maxmemory-policy to noeviction")
    if kept.get("appendonly") != "yes":
        log.warning("the queue's server may lose jobs when it ends; set its appendonly to yes")


@contextmanager
def as_problem() -> Iterator[None]:
    """Turn transient errors of the queue's server into a problem.

    Raises:
        ProblemError: 503.
    """
    try:
        yield
    except OutOfMemoryError as error:
        remedy = "delete jobs that have ended, or give its server more memory (CHAINWRIGHT_QUEUE_MEMORY)"
        raise failure(503, Code.UNAVAILABLE, "the queue is full", remedy, headers=RETRY_AFTER) from error
    except AWAY as error:
        message = "the queue's server does not answer"
        raise failure(503, Code.UNAVAILABLE, message, "try again shortly", headers=RETRY_AFTER) from error
