"""Variables of the environment: those that are no settings, and values shown without passwords."""

from __future__ import annotations

import difflib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from app.settings.env_file import ENV_FILE, PREFIX, text_of
from app.settings.settings import Limits, Settings

KNOWN = frozenset(
    f"{PREFIX}{name.upper()}"
    # The last five are read elsewhere: by the client, the compose file, and models/language/forward/layer.py.
    for name in (*Settings.model_fields, *Limits.model_fields, "url", "api_key", "image", "listen", "compiled_layers")
)

_KUBERNETES = re.compile(r".*(_SERVICE_(HOST|PORT)(_.*)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables that Kubernetes adds to a container's environment for each Service, and Docker for each link."""

_ADDRESS = re.compile(r"([a-z]+://)?[\w.\-]*(\[[0-9a-f:.]+\])?(:\d*)?(/\d*)?", re.IGNORECASE)

SECRET = frozenset({"redis_url", "queue_url", "otlp_endpoint"})
"""Settings that may hold a password."""


def unknown_variables() -> list[tuple[str, str | None]]:
    """Variables that look like settings and are none, each with the name that was meant, if one is near."""
    path = Path(ENV_FILE)
    written = dotenv_values(stream=io.StringIO(text_of(path))) if path.is_file() else {}
    names = {name for name in (*os.environ, *written) if name.upper().startswith(PREFIX)}
    found = [name for name in sorted(names) if name.upper() not in KNOWN and not _KUBERNETES.fullmatch(name.upper())]
    return [(name, _nearest(name)) for name in found]


def _nearest(name: str) -> str | None:
    known = [each.removeprefix(PREFIX) for each in KNOWN]
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), known, 1, 0.7)
    return f"{PREFIX}{near[0]}" if near else None


def labelled(error: Mapping[str, Any]) -> str:
    """The variable of a validation error and its value, without a password: ``CHAINWRIGHT_PORT=x``."""
    name = str(next(iter(error["loc"]), ""))
    label = f"{PREFIX}{name.upper()}"
    value = error.get("input")
    return f"{label}={shown(name, value)}" if isinstance(value, str | int | float) else label


def shown(name: str, value: str | int | float) -> str:
    """A setting's value, in one line and without a password."""
    text = str(value)
    if name in SECRET or ("://" in text and "@" in text):
        text = masked(text)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 100 else f"{text[:100]}..."


def masked(url: str) -> str:
    """A URL without its user name and password."""
    scheme, between, rest = url.rpartition("://")
    place = re.split(r"[?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    secret = "@" in rest or not _ADDRESS.fullmatch(rest) or not (scheme or ":" in rest)
    if not secret:
        return f"{scheme}{between}{place}"
    return f"{scheme}{between}***@{place}" if "@" in rest and _ADDRESS.fullmatch(place) else f"{scheme}{between}***"
