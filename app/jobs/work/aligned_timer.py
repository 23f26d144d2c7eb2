"""A clock for what a process does again and again, so that it does it together."""

from __future__ import annotations

import time


def to_tick(seconds: float) -> float:
    """Seconds until the next multiple of ``seconds`` on this machine's clock.

    What waits for it wakes with the others that do: a busy process is disturbed once, and their exchanges with a
    server are one.
    """
    return seconds - time.monotonic() % seconds
