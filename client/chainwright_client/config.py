"""Address of the service, and patience with it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import httpx

DEFAULT_URL = "http://127.0.0.1:8000"
"""Default address of `chainwright serve`."""


@dataclass(slots=True)
class Config:
    """Settings of a client, as :class:`chainwright_client.Client` describes them; empty ones by the environment.

    Raises:
        ValueError: the URL is none of http, or the key cannot be one.
    """

    url: str
    api_key: str
    timeout: float
    retries: int
    longest_wait: float

    def __post_init__(self) -> None:
        url = (self.url or os.environ.get("CHAINWRIGHT_URL") or DEFAULT_URL).strip()
        try:
            whole = url.startswith(("http://", "https://")) and bool(httpx.URL(url).host)
        except httpx.InvalidURL:
            whole = False
        if not whole:
            raise ValueError(f"{url!r} is no http:// or https:// URL; give one such as {DEFAULT_URL}")
        # A key that was read from a file may have a line feed at its end.
        key = (self.api_key or os.environ.get("CHAINWRIGHT_API_KEY") or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError("the API key holds what no key does; give it as chainwright keys create printed it")
        self.url, self.api_key = url.rstrip("/"), key
