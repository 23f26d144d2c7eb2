"""One connection to a Redis server, with a deadline over every exchange."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.asyncio import Connection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError

PROMPT_SECONDS = 0.010
"""Longest prompt reply: a healthy server takes no longer."""

WAIT_SLICE_SECONDS = 0.005
"""Longest single wait, so that a late event loop shows."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Reply of a server.

    Attributes:
        value: as redis-py parsed it, strings as bytes.
        delay: seconds it took if longer than :data:`PROMPT_SECONDS`, else 0; not counting those that this
            process's event loop was late.
    """

    value: Any
    delay: float


def connection_factory(url: str) -> Callable[[], AbstractConnection]:
    """Makes connections to a URL, not connected yet, that never retry, wait or ask for more.

    redis-py retries a closed port with backoff for seconds by default, and options in a URL's
    query win over arguments: here they do not.

    Raises:
        ValueError: not a redis://, rediss:// or unix:// URL with a valid port and known options.
            The message does not repeat the URL, which may hold a password.
    """
    _check_password(url)
    try:
        options: dict[str, Any] = dict(parse_url(url))
    except ValueError:
        raise ValueError("not a redis://, rediss:// or unix:// URL") from None
    options |= {
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        # RedisLink bounds the exchange as a whole; see RedisLink.call for why redis-py does not.
        "socket_timeout": None,
        "socket_connect_timeout": None,
        # Version 2 of the protocol without CLIENT SETINFO: connecting costs no further round trip.
        "protocol": 2,
        "driver_info": None,
        "decode_responses": False,
    }
    make: Callable[[], AbstractConnection] = partial(options.pop("connection_class", Connection), **options)
    try:
        make()
    except TypeError:
        raise ValueError("the URL's query has an option that redis-py's connections do not know") from None
    return make


def _check_password(url: str) -> None:
    """Refuse a URL that a mark in the password would end.

    Raises:
        ValueError: a ``#``, ``/`` or ``?`` stands where it would be read as the end of the host.
    """
    scheme, _, rest = url.partition("://")
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest.removeprefix(place).partition("?")
    # A query may hold an @ of its own, after an equals sign.
    late = "@" not in place and ("@" in path or ("@" in query and "=" not in query.partition("@")[0]))
    ended = "#" in rest or (late and scheme != "unix")
    if ended:
        raise ValueError(
            "a #, / or ? ends the host of a URL; remedy: write them as %23, %2F and %3F in user name and password"
        )


class RedisLink:
    """One exchange at a time. After any trouble the connection is dropped and the next exchange
    makes a new one, so a late reply is never read as the answer to another command.

    Args:
        url: redis://, rediss:// or unix://.

    Raises:
        ValueError: see :func:`connection_factory`.
    """

    def __init__(self, url: str) -> None:
        self._make = connection_factory(url)
        self._connection: AbstractConnection | None = None

    async def call(self, *command: bytes, within: float) -> Reply:
        """Connect if need be, send a command and read its reply.

        Raises:
            TimeoutError: no reply within ``within`` seconds.
            Exception: redis-py's, of refused connections, error replies and garbage.
        """
        task = asyncio.create_task(self._exchange(command))
        try:
            waited = await _wait(task, within)
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(_ignore_outcome)
                self._connection = None  # the cancelled exchange closes it
        if not task.done():
            raise TimeoutError(f"no answer within {within * 1000:.0f} ms")
        return Reply(task.result(), waited if waited > PROMPT_SECONDS else 0.0)

    async def _exchange(self, command: tuple[bytes, ...]) -> Any:
        kept = self._connection is not None
        try:
            return await self._attempt(command)
        except ConnectionError:
            # A second attempt, on a new connection and within the same deadline, reaches a server that
            # was restarted or that closes idle connections.
            if not kept:
                raise
            return await self._attempt(command)

    async def _attempt(self, command: tuple[bytes, ...]) -> Any:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._make()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command(*command)
            return await connection.read_response()
        except BaseException:
            if self._connection is connection:
                self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _wait(task: asyncio.Task[Any], within: float) -> float:
    """Wait for a task; return the seconds waited, less those that the event loop was late.

    When the loop was busy elsewhere, a deadline and the reply are due at once. So the last slice
    begins only after the loop has run, and lets come in what has arrived meanwhile.
    """
    begun = time.monotonic()
    waited = 0.0
    last = False
    while not (task.done() or last):
        started = time.monotonic()
        last = started - begun >= within - WAIT_SLICE_SECONDS
        await asyncio.wait({task}, timeout=WAIT_SLICE_SECONDS)
        waited += min(time.monotonic() - started, WAIT_SLICE_SECONDS)
    return waited


def _ignore_outcome(task: asyncio.Task[Any]) -> None:
    """Keep asyncio from warning of the error of a cancelled exchange."""
    if not task.cancelled():
        task.exception()
