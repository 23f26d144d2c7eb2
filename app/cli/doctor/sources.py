"""The source of models: whether it answers, or what it holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from app.cli.doctor.finding import Finding, error, ok, warning
from app.cli.doctor.servers import TIMEOUT
from app.cli.doctor.weights import kept
from app.indexes.opened import adapter_of, model_name
from app.settings.settings import Settings
from models.language.model_files import LoadingError
from models.language.sources import endpoint_of, host_of, names_in


def models(settings: Settings) -> Iterator[Finding]:
    """Where models are had by name."""
    about, source = "model source", settings.model_source
    try:
        endpoint = endpoint_of(source)
    except LoadingError as problem:
        yield error(about, f"{source}: its library is not installed", str(problem))
        return
    if endpoint is None:
        yield _folder(about, Path(source))
        return
    named = host_of(source) if source == endpoint else f"{source}, {host_of(source)}"
    if settings.offline:
        yield ok(about, f"{named}, which is never asked (CHAINWRIGHT_OFFLINE)")
        return
    began = time.perf_counter()
    try:
        httpx.head(endpoint, timeout=TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        found = f"{named} does not answer ({type(problem).__name__})"
        if _nothing_waits(settings):
            yield ok(about, f"{found}, and nothing here waits for it")
        else:
            remedy = (
                "check the network and its proxy, or set CHAINWRIGHT_MODEL_SOURCE to a mirror, modelscope or a folder"
            )
            yield error(about, found, remedy)
    else:
        yield ok(about, f"{named} answers in {(time.perf_counter() - began) * 1000:.0f} ms")


def _folder(about: str, folder: Path) -> Finding:
    names = names_in(folder)
    if not names:
        remedy = "copy models into it, each in a folder of the name that CHAINWRIGHT_MODEL is to have"
        return warning(about, f"{folder}, in which there are no models", remedy)
    return ok(about, f"{folder}: {', '.join(names)}")


def _nothing_waits(settings: Settings) -> bool:
    named = {settings.model, model_name(settings)} - {"default"}
    adapter = adapter_of(settings)
    try:
        return None not in [
            *(kept(name, settings) for name in named),
            *([] if adapter is None else [kept(str(adapter), settings, "adapter")]),
        ]
    except LoadingError:
        return True  # the model's own finding tells
