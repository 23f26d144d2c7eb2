"""Python, memory, device."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import psutil

from app.cli.doctor.finding import Finding, error, ok, warning
from app.settings.settings import Settings

if TYPE_CHECKING:
    import torch

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
            yield error("packages", f"{name} is not installed", "pip install -c constraints-cpu.txt ./client .")
    yield ok("packages", ", ".join(f"{name} {number}" for name, number in versions.items()))


def memory(settings: Settings) -> Iterator[Finding]:
    """Memory that other programs leave."""
    available = psutil.virtual_memory().available
    found = f"{available / (1 << 30):.1f} GiB available"
    if available < LEAST_MEMORY:
        yield warning("memory", found, f"leave {LEAST_MEMORY >> 30} GiB to the service")
    else:
        yield ok("memory", found)


def device(settings: Settings) -> Iterator[Finding]:
    """The device, in the precision asked for."""
    import torch

    from models.language.device import DeviceError, device_of
    from models.language.loading import dtype_of

    try:
        chosen = device_of(settings.device)
        dtype = dtype_of(settings.precision, chosen)
    except DeviceError as problem:
        yield error("device", problem.found, f"{problem.setting}: {problem.remedy}")
        return
    found = f"{_named(chosen)}, {str(dtype).removeprefix('torch.')}"
    if chosen.type == "cpu" and torch.version.cuda and settings.device == "auto":
        remedy = "mend the driver (nvidia-smi tells), or set CHAINWRIGHT_DEVICE=cpu if there is no GPU"
        yield warning("device", f"{found}, though this torch is made for CUDA", remedy)
    else:
        yield ok("device", found)
    if chosen.type == "cpu":
        yield _products(dtype)
        yield _layers()


def _products(dtype: torch.dtype) -> Finding:
    import torch

    from models.language.forward.layer import instructions
    from models.language.forward.products import products

    ways = products(torch.device("cpu"), dtype)
    found = f"{ways}, instruction set {instructions()}"
    if ways.dtype != dtype:
        remedy = "set CHAINWRIGHT_PRECISION=auto, which takes float32: bfloat16 saves nothing on this CPU"
        return warning("matrix products", found, remedy)
    return ok("matrix products", found)


def _layers() -> Finding:
    from models.language.device import DeviceError
    from models.language.forward import layer

    try:
        compiled = layer.library() is not None
    except DeviceError as problem:
        return error("layers", f"{problem.setting}: {problem.found}", problem.remedy)
    if not compiled:
        remedy = (
            f"unset {layer.LAYERS_SWITCH} if it is off, else install again where Zig's package (ziglang) can be had; "
            "it compiles models/language/forward/layer.c"
        )
        return warning("layers", "not compiled, or not from this source: sampling takes half as long again", remedy)
    return ok("layers", f"compiled, the build for {layer.build()}")


def _named(device: object) -> str:
    import torch

    if isinstance(device, torch.device) and device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device}: {properties.name}, {properties.total_memory / (1 << 30):.0f} GiB"
    return f"{device}, {torch.get_num_threads()} threads"
