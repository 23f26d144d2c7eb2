"""Where the service is, and how patient its client is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import httpx

URL = "http://127.0.0.1:8000"
"""Where `chainwright serve` listens by default."""

QUICK = 30.0
"""Seconds for answers that need no model."""

CONNECT = 10.0
"""Seconds for a connection."""


@dataclass(frozen=True, slots=True)
class Config:
    """See :class:`app.client.client.Client`."""

    url: str
    api_key: str | None
    timeout: float
    retries: int
    longest_wait: float

    @classmethod
    def of(cls, url: str | None, api_key: str | None, timeout: float, retries: int, longest_wait: float) -> Config:
        """What is given, else what CHAINWRIGHT_URL and CHAINWRIGHT_API_KEY say.

        Raises:
            ValueError: the URL is none of http.
        """
        url = url or os.environ.get("CHAINWRIGHT_URL") or URL
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no http:// or https:// URL; give one such as {URL}")
        return cls(url.rstrip("/"), api_key or os.environ.get("CHAINWRIGHT_API_KEY"), timeout, retries, longest_wait)

    def http(self) -> dict[str, Any]:
        """Arguments of an httpx client."""
        headers = {"User-Agent": "chainwright"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return {"base_url": self.url, "headers": headers, "timeout": httpx.Timeout(QUICK, connect=CONNECT)}
