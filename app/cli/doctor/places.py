"""Directories, disk, port, keys."""

from __future__ import annotations

import errno
import ipaddress
import shutil
import tempfile
from collections.abc import Iterator

import httpx

from app.cli.address import AddressError, try_to_listen, written
from app.cli.doctor.finding import Finding, error, ok, warning
from app.settings.settings import Settings
from app.settings.variables import unknown_variables
from app.web.access.keys import KeyFileError, read_keys
from app.web.access.ring import keys_path
from app.web.codes import Code
from app.web.problems import Fault
from models.language.default_weights import CONVERSION_BYTES, damaged_files

LEAST_FREE = 1 << 30
"""Bytes of disk for indexes, scores and queues."""


def directories(settings: Settings) -> Iterator[Finding]:
    """The state and cache directories: writable, with room."""
    unconverted = settings.model == "default" and damaged_files(settings.cache_dir) is None
    for about, variable, folder, least in (
        ("state directory", "CHAINWRIGHT_STATE_DIR", settings.state_dir, LEAST_FREE),
        ("cache directory", "CHAINWRIGHT_CACHE_DIR", settings.cache_dir, CONVERSION_BYTES if unconverted else 0),
    ):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"chainwright")
                file.flush()
        except OSError as problem:
            if about == "cache directory" and not unconverted and folder.is_dir():
                yield ok(about, f"{folder}, read-only, which will do")
            else:
                yield error(about, f"{folder} cannot be written: {problem}", f"let its user write, or set {variable}")
            continue
        free = shutil.disk_usage(folder).free
        found = f"{folder}, {free / 1e9:.1f} GB free"
        if free < least:
            yield error(about, found, f"free {least / 1e9:.1f} GB, or set {variable} to another disk")
        else:
            yield ok(about, found)


def port(settings: Settings) -> Iterator[Finding]:
    """The port: free, or taken by this service already."""
    where = written(settings.host, settings.port)
    try:
        try_to_listen(settings.host, settings.port)
    except AddressError as problem:
        if problem.number == errno.EADDRINUSE and _ours(settings):
            yield ok("port", f"{where}: a chainwright service answers there")
        else:
            fault = Fault.parse(problem, Code.UNAVAILABLE)
            yield error("port", fault.message, fault.remedy)
    else:
        yield ok("port", f"{where} is free")


def _ours(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    try:
        answer = httpx.get(f"http://{written(host, settings.port)}/health", trust_env=False, timeout=2)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.is_success and '"alive"' in answer.text


def variables(settings: Settings) -> Iterator[Finding]:
    """Variables that look like settings and are none."""
    for name, near in unknown_variables():
        remedy = f"name it {near}" if near else "see docs/settings.md for the names, or unset it"
        yield warning("variables", f"{name} is no setting", remedy)


def keys(settings: Settings) -> Iterator[Finding]:
    """API keys."""
    path = keys_path(settings)
    try:
        known = read_keys(path)
    except FileNotFoundError:
        if settings.keys_file is not None:
            yield error("API keys", f"{path} is not there", "make it with chainwright keys create")
        elif _loopback(settings.host):
            yield ok("API keys", "none: whoever is on this machine may call")
        else:
            remedy = "chainwright keys create NAME, or leave it so behind a proxy that asks for credentials"
            yield warning("API keys", f"none: whoever reaches {written(settings.host, settings.port)} may call", remedy)
    except KeyFileError as problem:
        fault = Fault.parse(problem, Code.UNUSABLE_FILE)
        yield error("API keys", fault.message, fault.remedy)
    else:
        if not known:
            yield warning("API keys", f"{path} has none: nobody may call", "chainwright keys create NAME")
        elif path.stat().st_mode & 0o004:
            yield warning("API keys", f"{path} can be read by other users", f"chmod 600 {path}")
        else:
            yield ok("API keys", f"{len(known)} in {path}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
