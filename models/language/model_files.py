"""Model files: checks of a folder's configuration, tokenizer and weights.

An error is one line that names the file and the remedy, but no folder of this machine: callers of the service read
it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

CONFIG_FILE, TOKENIZER_FILE = "config.json", "tokenizer.json"
WEIGHTS_FILE, WEIGHTS_INDEX_FILE = "model.safetensors", "model.safetensors.index.json"

_GIT_LFS_POINTER = b"version https://git-lfs"
"""Begin of the text that Git LFS leaves in place of a file (specification, version 1)."""

_OTHER_FORMATS = ("*.bin", "*.pt", "*.pth", "*.gguf", "*.h5", "*.msgpack", "*.onnx")


class LoadingError(RuntimeError):
    """The model could not be loaded; the message says how to mend it."""


def public_name(name: str) -> str:
    """A model's name for callers: of a folder its last component, no path of this machine.

    The folder of a fetched model is a snapshot in a cache: ``models--Qwen--Qwen3-0.6B/snapshots/COMMIT``.
    """
    path = Path(name)
    if path.parent.name == "snapshots":
        return path.parent.parent.name.removeprefix("models--").replace("--", "/")
    if path.is_dir() or path.is_absolute() or name.startswith(("./", "../")):
        return path.name if path.name not in ("", "..") else path.resolve().name or name
    return name


@contextmanager
def naming(what: str, name: str) -> Iterator[None]:
    """Begin errors with the name of the model or adapter.

    Args:
        what: "model" or "adapter".
        name: its folder or hub id.
    """
    try:
        yield
    except LoadingError as error:
        raise LoadingError(f"{what} {public_name(name)!r}: {error}") from error


def in_one_line(error: BaseException, source: str) -> str:
    """The first sentence of an error, without the folder that it may name."""
    text = " ".join((str(error) or type(error).__name__).split()).partition(". ")[0]
    for folder in (source, str(Path(source).resolve())):
        text = text.replace(f"{folder}/", "").replace(folder, public_name(source)) if "/" in folder else text
    return text if len(text) <= 300 else f"{text[:300]}..."


def check(path: Path) -> None:
    """Refuse a file that is not there, is empty, or stands for another.

    Raises:
        LoadingError: it cannot be used.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(len(_GIT_LFS_POINTER))
    except FileNotFoundError:
        raise LoadingError(f"{path.name} is not there: copy it into the folder") from None
    except OSError as error:
        raise LoadingError(f"{path.name} cannot be read ({error.strerror}): let the service's user read it") from error
    if not begin:
        raise LoadingError(f"{path.name} is empty: copy it again")
    if begin == _GIT_LFS_POINTER:
        raise LoadingError(
            f"{path.name} is a Git LFS pointer, not the file itself: run git lfs pull where it was cloned"
        )


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        LoadingError: it cannot be read, or is something else.
    """
    check(path)
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LoadingError(f"{path.name} is not JSON ({error}): copy it again") from error
    if not isinstance(entries, dict):
        raise LoadingError(f"{path.name} is not a JSON object: copy it again")
    return entries


def read_config(path: Path) -> dict[str, Any]:
    """A configuration.

    Raises:
        LoadingError: it cannot be read, or does not name its architecture.
    """
    entries = read_object(path)
    if not isinstance(entries.get("model_type"), str):
        raise LoadingError(f"{path.name} has no model_type: copy it again, as save_pretrained() wrote it")
    return entries


def read_tokenizer(path: Path) -> Tokenizer:
    """A fast tokenizer.

    Raises:
        LoadingError: it cannot be read.
    """
    check(path)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises Exception itself
        raise LoadingError(f"{path.name} is no tokenizer that can be read ({error}): copy it again") from error


def check_tokenizer(tokenizer: Tokenizer, rows: int | None) -> None:
    """Refuse a tokenizer of another model: one with more tokens than the model has embeddings, added ones not counted.

    Raises:
        LoadingError: it has.
    """
    tokens = tokenizer.get_vocab_size(with_added_tokens=False)
    if rows is not None and tokens > rows:
        raise LoadingError(
            f"{TOKENIZER_FILE} has {tokens} tokens, where {CONFIG_FILE} has a vocab_size of {rows}: take those of one "
            "model"
        )


def check_weights(folder: Path) -> frozenset[str]:
    """Refuse weights that are not safetensors, or not whole; only their heads are read.

    Returns:
        The names of the tensors.

    Raises:
        LoadingError: they cannot be used.
    """
    parts = [WEIGHTS_FILE]
    if not (folder / WEIGHTS_FILE).exists() and (folder / WEIGHTS_INDEX_FILE).exists():
        parts = _parts(folder / WEIGHTS_INDEX_FILE)
    elif not (folder / WEIGHTS_FILE).exists():
        others = sorted({path.name for pattern in _OTHER_FORMATS for path in folder.glob(pattern)})
        only = f", only {', '.join(others[:3])}" if others else ""
        raise LoadingError(
            f"{WEIGHTS_FILE} is not there{only}: save the model with save_pretrained(); of weights only safetensors "
            "are read, never pickled ones (.bin, .pt) or GGUF"
        )
    return frozenset(name for part in parts for name in check_part(folder / part))


def check_part(path: Path) -> list[str]:
    """Refuse a safetensors file that is cut short or damaged in its head.

    Returns:
        The names of its tensors.

    Raises:
        LoadingError: it cannot be used.
    """
    check(path)
    try:
        with safe_open(path, framework="pt") as opened:
            return list(opened.keys())
    except (SafetensorError, OSError) as error:
        raise LoadingError(
            f"{path.name} cannot be read ({in_one_line(error, str(path.parent))}), it may be cut short: copy it again"
        ) from error


def _parts(index: Path) -> list[str]:
    """Files of an index of several."""
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(part, str) for part in places.values()):
        raise LoadingError(f"{index.name} has no weight_map: copy it again")
    parts = sorted(set(places.values()))
    missing = [part for part in parts if not (index.parent / part).exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise LoadingError(f"{index.name} names {missing[0]}{more}, which is not there: copy all parts of the weights")
    return parts
