"""Memory that the process has freed but not yet given back."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return freed memory to the operating system: glibc keeps what many threads freed in small pieces.

    Takes some milliseconds; call it when nothing else runs. Does nothing where there is no glibc.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
