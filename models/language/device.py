"""Devices, and trials of their arithmetic: some claim more than their libraries do."""

from __future__ import annotations

import torch


class DeviceError(RuntimeError):
    """The device cannot do as it is asked, whatever the model.

    Attributes:
        setting: the environment variable to look at.
        found, remedy: the fault, and how to mend it.
    """

    def __init__(self, setting: str, found: str, remedy: str) -> None:
        super().__init__(f"{found}: {remedy}")
        self.setting, self.found, self.remedy = setting, found, remedy


def device_of(name: str) -> torch.device:
    """The device of this name, or the best one here for ``auto``.

    Raises:
        DeviceError: it is not here.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present.get(name.split(":")[0], False):
        remedy = f"use auto, or one of {[kind for kind, there in present.items() if there]}, or mend the driver"
        raise DeviceError("CHAINWRIGHT_DEVICE", f"device {name!r} is not here", remedy)
    return torch.device(name)


def try_out(device: torch.device, dtype: torch.dtype) -> None:
    """Multiply small matrices.

    Raises:
        DeviceError: the device does not do it, or wrongly.
    """
    what = f"{device} does not multiply {str(dtype).removeprefix('torch.')}"
    try:
        ones = torch.ones(8, 8, device=device, dtype=dtype)
        right = bool((ones @ ones == 8).all())
    except (RuntimeError, TypeError) as error:
        remedy = "see the driver's messages, set CHAINWRIGHT_PRECISION=float32, or take another CHAINWRIGHT_DEVICE"
        raise DeviceError("CHAINWRIGHT_DEVICE", f"{what} ({error})", remedy) from error
    if not right:
        raise DeviceError("CHAINWRIGHT_DEVICE", f"{what} rightly", "the hardware is broken: take another device")


def out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch found no memory; on a CPU its error has no class of its own."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
