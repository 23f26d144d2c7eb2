"""Values of settings as people write them: quoted, with units, as lists in one of several forms.

What is wrong with one is a ValueError whose text ends in ``; remedy: how to mend it``.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])i?b?", re.IGNORECASE)
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/\s]+")
_MIRROR = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?(/[^?#\s]*)?")
_ROOT = re.compile(r"(/[A-Za-z0-9._~-]+)+")
OWN = frozenset({"v1", "docs", "redoc", "openapi.json", "static-offline-docs", "health", "ready", "metrics", "studio"})
"""First parts of the service's own paths."""


def of_text(convert: Callable[[str], Any]) -> BeforeValidator:
    """A validator that converts texts and leaves other values as they are."""
    return BeforeValidator(lambda value: convert(value) if isinstance(value, str) else value)


def plain(text: str) -> str:
    """A value without white space and one pair of quotes around it, which `docker --env-file` leaves there."""
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if quoted else text


def _size(text: str) -> str | int:
    match = _SIZE.fullmatch(text)
    return text if match is None else int(float(match[1]) * 1024 ** ("kmgt".index(match[2].lower()) + 1))


def _switch(value: Any) -> str:
    word = str(value).lower()
    return "on" if word in ("true", "yes", "1") else "off" if word in ("false", "no", "0") else word


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text.lower()):
        raise ValueError("no device; remedy: give auto, cpu, cuda, cuda:1 or mps")
    return text.lower()


def _origins(text: str) -> list[str]:
    listed = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    found = [plain(word).rstrip("/") for word in re.split(r"[,\s]+", listed) if word]
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            remedy = "give https://app.example.org, several with commas between, or *"
            raise ValueError(f"{origin!r} is no origin; remedy: {remedy}")
    return found


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f'no JSON ({error}); remedy: give a JSON object such as {{"name": "value"}}') from None
    if not isinstance(found, dict):
        raise ValueError('no JSON object; remedy: give one such as {"name": "value"}')
    return found


def _port(text: str) -> str:
    if text.startswith(("tcp://", "udp://", "sctp://")):
        raise ValueError(
            "this is what Kubernetes sets for a Service named chainwright; remedy: set enableServiceLinks: false in "
            "the pod's spec, or CHAINWRIGHT_PORT in the container's env, or give the Service another name"
        )
    return text


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "/" in bare:
        raise ValueError("no address; remedy: give one such as 127.0.0.1, 0.0.0.0 or ::, without a scheme or path")
    if ":" in bare:
        try:
            ipaddress.ip_address(bare)
        except ValueError:
            raise ValueError("no address; remedy: give the address alone, and the port in CHAINWRIGHT_PORT") from None
    return bare


def _root_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not _ROOT.fullmatch(path):
        raise ValueError("no path; remedy: give the path alone, beginning with a slash, such as /llm")
    if path and path.split("/")[1] in OWN:
        raise ValueError("the service's own paths begin so; remedy: take another path, such as /llm")
    return path


def _model_source(text: str) -> str:
    if text.lower() in ("hub", "modelscope"):
        return text.lower()
    if text.startswith(("http://", "https://")):
        if "@" in text:
            raise ValueError("the URL holds a user name or password; remedy: leave it out, and set HF_TOKEN")
        if not _MIRROR.fullmatch(text):
            raise ValueError(
                "no URL of a mirror; remedy: give it as HF_ENDPOINT has it, such as https://hub.example.org"
            )
        return text.rstrip("/")
    folder = Path(os.path.expanduser(text))
    if not folder.is_dir():
        raise ValueError(
            "no source of models, and no folder that is there; remedy: give hub, modelscope, the URL of a mirror of "
            "the hub such as https://hub.example.org, or a folder that holds models by name"
        )
    return str(folder)


def _collector(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("no http:// or https:// URL; remedy: give http://host:4318")
    return url


Lower = of_text(str.lower)
Mapping = of_text(_mapping)
Folder = Annotated[Path, AfterValidator(lambda path: Path(os.path.expanduser(path)))]
Size = Annotated[int, of_text(_size)]
"""Bytes; 64m, 64MB and 64MiB are all 64 times 2^20."""

Switch = Annotated[Literal["on", "off"], BeforeValidator(_switch)]
"""``on`` or ``off``, however a truth value is spelt."""

Device = Annotated[str, of_text(_device)]
Origins = Annotated[list[str], of_text(_origins)]
"""Origins from a JSON list, or from words with commas or spaces between."""

Port = Annotated[int, of_text(_port)]
Host = Annotated[str, of_text(_host)]
"""An address or a name to listen on; an IPv6 address may stand in brackets."""

RootPath = Annotated[str, of_text(_root_path)]
ModelSource = Annotated[str, of_text(_model_source)]
"""``hub``, ``modelscope``, a URL without a slash at its end, or a folder."""

CollectorUrl = Annotated[str, AfterValidator(_collector)]
