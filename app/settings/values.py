"""Values of settings as people write them: quoted, with units, as lists in one of several forms."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])i?b?", re.IGNORECASE)
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s]+")
_ROOT = re.compile(r"(/[A-Za-z0-9._~-]+)+")
OWN = frozenset({"v1", "docs", "redoc", "openapi.json", "static-offline-docs", "health", "ready", "metrics"})
"""First parts of the service's own paths."""


def plain(text: str) -> str:
    """A value without white space and one pair of quotes around it, which `docker --env-file` leaves there."""
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if quoted else text


def size(value: Any) -> Any:
    """Bytes; 64m, 64MB and 64MiB are all 64 times 2^20."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    return value if match is None else int(float(match[1]) * 1024 ** ("kmgt".index(match[2].lower()) + 1))


def switch(value: Any) -> Any:
    """``on`` or ``off``, however a truth value is spelt."""
    word = str(value).lower()
    return "on" if word in ("true", "yes", "1") else "off" if word in ("false", "no", "0") else word


def lower(value: Any) -> Any:
    """A word in small letters."""
    return value.lower() if isinstance(value, str) else value


def device(value: Any) -> Any:
    """A device's name.

    Raises:
        ValueError: there is none of this name.
    """
    name = lower(value)
    if isinstance(name, str) and not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise ValueError("no device; remedy: give auto, cpu, cuda, cuda:1 or mps")
    return name


def origins(value: Any) -> Any:
    """Origins from a JSON list, or from words with commas or spaces between.

    Raises:
        ValueError: one is no origin.
    """
    if not isinstance(value, str):
        return value
    listed = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    found = [plain(word).rstrip("/") for word in re.split(r"[,\s]+", listed) if word]
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            remedy = "give https://app.example.org, several with commas between, or *"
            raise ValueError(f"{origin!r} is no origin; remedy: {remedy}")
    return found


def mapping(value: Any) -> Any:
    """A JSON object.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError as error:
        raise ValueError(f'no JSON ({error}); remedy: give a JSON object such as {{"name": "value"}}') from None
    if not isinstance(found, dict):
        raise ValueError('no JSON object; remedy: give one such as {"name": "value"}')
    return found


def port(value: Any) -> Any:
    """A port.

    Raises:
        ValueError: it is the address of a Service, which Kubernetes puts into containers' environments.
    """
    if isinstance(value, str) and value.startswith(("tcp://", "udp://", "sctp://")):
        raise ValueError(
            "this is what Kubernetes sets for a Service named chainwright; remedy: set enableServiceLinks: false in "
            "the pod's spec, or CHAINWRIGHT_PORT in the container's env, or give the Service another name"
        )
    return value


def host(value: Any) -> Any:
    """An address or a name to listen on; an IPv6 address may stand in brackets.

    Raises:
        ValueError: it holds more than that.
    """
    if not isinstance(value, str):
        return value
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if "/" in bare:
        raise ValueError("no address; remedy: give one such as 127.0.0.1, 0.0.0.0 or ::, without a scheme or path")
    if ":" in bare:
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            raise ValueError("no address; remedy: give the address alone, and the port in CHAINWRIGHT_PORT") from None
    return bare


def root_path(value: Any) -> Any:
    """The path below which a proxy shows the service, without a slash at its end.

    Raises:
        ValueError: it is no path, or begins as the service's own do.
    """
    if not isinstance(value, str):
        return value
    path = value.rstrip("/")
    if path and not _ROOT.fullmatch(path):
        raise ValueError("no path; remedy: give the path alone, beginning with a slash, such as /llm")
    if path and path.split("/")[1] in OWN:
        raise ValueError("the service's own paths begin so; remedy: take another path, such as /llm")
    return path


def collector(url: str) -> str:
    """The URL of a collector of traces.

    Raises:
        ValueError: it is none.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("no http:// or https:// URL; remedy: give http://host:4318")
    return url


Size = Annotated[int, BeforeValidator(size)]
Switch = BeforeValidator(switch)
Lower = BeforeValidator(lower)
