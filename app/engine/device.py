"""What a device cannot do, as a fault."""

from __future__ import annotations

from app.web.codes import Code
from app.web.problems import Fault
from models.language.device import DeviceError


def device_fault(error: DeviceError) -> Fault:
    """It names the setting to look at."""
    return Fault(field=error.setting, code=Code.UNUSABLE_DEVICE, message=error.found, remedy=error.remedy)
