"""Calls of the queue's server, retried until they succeed or the worker drains."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import structlog

from app.jobs.store.connection import AWAY

log = structlog.get_logger()

MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.1, 5.0
"""Waits between tries: each is twice the one before."""

T = TypeVar("T")


class DrainingError(Exception):
    """The worker drains."""


async def pause(draining: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until the worker drains."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await draining.wait()


async def retry_until(call: Callable[[], Awaitable[T]], draining: asyncio.Event) -> T:
    """Result of a call, tried until the queue's server answers.

    Raises:
        DrainingError: the worker drains meanwhile.
    """
    wait = MIN_RETRY_SECONDS
    while True:
        try:
            return await call()
        except AWAY as error:
            if draining.is_set():
                raise DrainingError from error
            log.warning("the queue's server does not answer; trying again", reason=str(error), seconds=wait)
            await pause(draining, wait)
            wait = min(2 * wait, MAX_RETRY_SECONDS)
