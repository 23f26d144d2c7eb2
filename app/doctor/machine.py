"""Python, memory, device."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import psutil

from app.doctor.finding import Finding, error, ok, warning
from app.settings import Settings

PACKAGES = ("chainwright", "torch", "transformers", "safetensors", "tokenizers", "fastapi", "redis")
LEAST_MEMORY = 2 << 30
"""Bytes: the default model in float32 with a crowd of requests stays below."""


def python(settings: Settings) -> Iterator[Finding]:
    """The interpreter and its packages."""
    yield ok("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            yield error("packages", f"{name} is not installed", "pip install -c constraints-cpu.txt .")
    yield ok("packages", ", ".join(f"{name} {number}" for name, number in versions.items()))


def memory(settings: Settings) -> Iterator[Finding]:
    """What other programs leave."""
    available = psutil.virtual_memory().available
    told = f"{available / (1 << 30):.1f} GiB available"
    if available < LEAST_MEMORY:
        yield warning("memory", told, f"leave {LEAST_MEMORY >> 30} GiB to the service")
    else:
        yield ok("memory", told)


def device(settings: Settings) -> Iterator[Finding]:
    """Whether the device computes, in the precision asked for."""
    import torch

    from models.language.loading import LoadingError, device_of, dtype_of

    try:
        chosen = device_of(settings.device)
    except LoadingError as problem:
        yield error("device", str(problem), "set CHAINWRIGHT_DEVICE to auto, or mend the driver")
        return
    dtype = dtype_of(settings.precision, chosen)
    try:
        ones = torch.ones(8, 8, device=chosen, dtype=dtype)
        right = bool((ones @ ones == 8).all())
    except RuntimeError as problem:
        yield error("device", f"{chosen} does not compute: {problem}", "see the driver's messages, or take another")
        return
    told = f"{_named(chosen)}, {str(dtype).removeprefix('torch.')}"
    if not right:
        yield error("device", f"{told}: 8 x 8 products are wrong", "the hardware is broken: take another device")
    elif chosen.type == "cpu" and torch.version.cuda and settings.device == "auto":
        remedy = "mend the driver (nvidia-smi tells), or set CHAINWRIGHT_DEVICE=cpu if there is no GPU"
        yield warning("device", f"{told}, though this torch is made for CUDA", remedy)
    else:
        yield ok("device", told)
    if chosen.type == "cpu":
        yield _layers()


def _layers() -> Finding:
    from models.language import layer

    if layer.library() is None:
        remedy = "install again where Zig's package (ziglang) can be had; it compiles models/language/layer.c"
        return warning("layers", "not compiled, or not from this source: sampling takes half as long again", remedy)
    return ok("layers", "compiled")


def _named(device: object) -> str:
    import torch

    if isinstance(device, torch.device) and device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device}: {properties.name}, {properties.total_memory / (1 << 30):.0f} GiB"
    return f"{device}, {torch.get_num_threads()} threads"
