"""When a request that failed is sent again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import httpx

from app.client.call import Call, retry_after, service_error
from app.client.config import Config
from app.client.errors import ClientError, TimedOutError, UnreachableError

PASSING = (429, 503)
"""Statuses that pass: nothing was done for the request."""

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which the service surely has not seen the request."""

FIRST, MOST = 0.5, 10.0
"""Seconds before the second try, and between later ones at most, each twice the one before."""


@dataclass(eq=False)
class Attempts:
    """The tries of one call."""

    call: Call[Any]
    config: Config
    failures: int = 0

    def failed(self, error: httpx.TransportError) -> float:
        """Seconds to wait after an error of the connection.

        Raises:
            UnreachableError: no more tries, or the call must not be repeated.
            TimedOutError: there was no answer in time.
        """
        timed_out = isinstance(error, httpx.TimeoutException)
        again = self.call.repeatable and not (timed_out and self.call.slow)
        if (again or isinstance(error, UNSENT)) and self.failures < self.config.retries:
            return self._backoff()
        raise broken(error, self.config) from error

    def answered(self, response: httpx.Response) -> float | None:
        """Seconds to wait before the next try; None if this is the answer.

        Raises:
            ServiceError: the answer is a problem that does not pass, or has not passed.
        """
        if response.is_success:
            return None
        wait = retry_after(response)
        passes = response.status_code in PASSING and self.failures < self.config.retries
        if not passes or (wait or 0.0) > self.config.longest_wait:
            raise service_error(response)
        backoff = self._backoff()
        return backoff if wait is None else wait + random.uniform(0, FIRST)

    def _backoff(self) -> float:
        wait = min(MOST, FIRST * 2.0**self.failures)
        self.failures += 1
        return wait * random.uniform(0.5, 1.0)


def broken(error: httpx.TransportError, config: Config) -> ClientError:
    """An error of the connection, in words."""
    what = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, UNSENT):
        return TimedOutError(f"no answer from {config.url} in time; give a longer timeout, or ask for less")
    return UnreachableError(f"{config.url} cannot be reached or broke off: {what}; is the service running?")
