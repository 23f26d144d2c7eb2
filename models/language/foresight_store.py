"""Keeps bigram models on disk, so that each is built once."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from models.language.foresight import CHUNK, SIZE, Foresight
from models.language.vocabulary import Vocabulary

_LAYOUT = 2
"""Raised when the way of building changes, so that older files are made anew."""
_NAMES = tuple(field.name for field in fields(Foresight))


def kept(folder: Path, vocabulary: Vocabulary, begin: int, build: Callable[[], Foresight]) -> Foresight:
    """The bigram model of a vocabulary, read from a folder or built and written there.

    Safe when several processes start at once: one builds behind a file lock and renames the
    complete file into place. A file that cannot be read, or whose checksum, shapes or way of
    building differ, is made anew. Where the folder cannot be written nothing is kept.

    Args:
        folder: of one model fingerprint.
        vocabulary: the mask.
        begin: the token that begins every context.
        build: makes it; takes seconds.
    """
    stamp = _stamp(vocabulary, begin)
    safe = re.sub(r"\W", "_", vocabulary.name)
    path = folder / f"{safe}-{stamp}.safetensors"
    if (found := _read(path, vocabulary)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return build()
    if not os.access(folder, os.W_OK):
        return build()
    with FileLock(path.with_suffix(".lock")):
        if (found := _read(path, vocabulary)) is not None:
            return found
        built = build()
        scratch = path.with_suffix(f".{os.getpid()}")
        try:
            scratch.write_bytes(_packed(built))
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
        return built


def _stamp(vocabulary: Vocabulary, begin: int) -> str:
    """16 hexadecimal digits over all that decides the numbers, the model aside."""
    shape = [_LAYOUT, SIZE, CHUNK, begin, vocabulary.interior, vocabulary.ends]
    digest = hashlib.blake2b(repr(shape).encode(), digest_size=8)
    digest.update(vocabulary.ids.tobytes())
    return digest.hexdigest()


def _tensors(foresight: Foresight) -> dict[str, torch.Tensor]:
    return {name: getattr(foresight, name).contiguous() for name in _NAMES}


def _packed(foresight: Foresight) -> bytes:
    return save(_tensors(foresight), {"blake2b": _checksum(foresight)})


def _checksum(foresight: Foresight) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in _tensors(foresight).items():
        digest.update(name.encode() + tensor.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _read(path: Path, vocabulary: Vocabulary) -> Foresight | None:
    """What a file holds, or None if it is not there or not whole."""
    try:
        with safe_open(path, "pt") as file:
            foresight = Foresight(**{name: file.get_tensor(name) for name in _NAMES})
            whole = (file.metadata() or {}).get("blake2b") == _checksum(foresight)
    except (OSError, SafetensorError):
        return None
    size = len(foresight.local)
    fits = size == len(foresight.hidden) == len(foresight.log_norms) and len(foresight.mean) == len(vocabulary)
    return foresight if whole and fits else None
