"""Counters of the score cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.scores.breaker import State


@dataclass(slots=True)
class Counters:
    """Events since the cache was opened, and its state.

    Attributes:
        hits_local: keys found in memory.
        hits_remote: keys found in Redis.
        misses: keys found nowhere.
        writes: values that Redis stored.
        dropped_writes: values that it did not, because too many waited or the cache was closed.
        errors: reads and writes that failed; not the probes of an open breaker.
        corrupt: values from Redis that differed from those written, and count as misses.
        breaker: whether Redis is asked (closed) or not (open; half-open while it is probed); off
            without Redis.
        entries: values in memory.
        bytes_held: memory that they take.
    """

    hits_local: int = 0
    hits_remote: int = 0
    misses: int = 0
    writes: int = 0
    dropped_writes: int = 0
    errors: int = 0
    corrupt: int = 0
    breaker: State | Literal["off"] = "off"
    entries: int = 0
    bytes_held: int = 0
