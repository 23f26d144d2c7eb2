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
            ValueError: the URL is none of http, or the key cannot be one.
        """
        url = (url or os.environ.get("CHAINWRIGHT_URL") or URL).strip()
        try:
            whole = url.startswith(("http://", "https://")) and bool(httpx.URL(url).host)
        except httpx.InvalidURL:
            whole = False
        if not whole:
            raise ValueError(f"{url!r} is no http:// or https:// URL; give one such as {URL}")
        # A key that was read from a file may have a line feed at its end.
        key = (api_key or os.environ.get("CHAINWRIGHT_API_KEY") or "").strip() or None
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ValueError("the API key holds what no key does; give it as chainwright keys create printed it")
        return cls(url.rstrip("/"), key, timeout, retries, longest_wait)

    def http(self) -> dict[str, Any]:
        """Arguments of an httpx client."""
        headers = {"User-Agent": "chainwright"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return {"base_url": self.url, "headers": headers, "timeout": httpx.Timeout(QUICK, connect=CONNECT)}
