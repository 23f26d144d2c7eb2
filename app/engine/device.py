"""Faults of a device."""

from __future__ import annotations

from app.web.codes import Code
from app.web.problems import Fault
from models.language.device import DeviceError


def device_fault(error: DeviceError) -> Fault:
    """The fault of a device that cannot compute as asked, under the setting to mend."""
    return Fault(field=error.setting, code=Code.UNUSABLE_DEVICE, message=error.found, remedy=error.remedy)
