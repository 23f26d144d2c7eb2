"""Redis keys of jobs."""

from __future__ import annotations

from collections.abc import Callable

PREFIX = "chainwright:jobs:1"
"""The number changes when the layout does."""

ALL = f"{PREFIX}:all"
"""Sorted set of the ids of all jobs; ids sort by age."""

BATCHES = f"{PREFIX}:batches"
"""Sorted set of the ids of those that are batches."""

OPEN = f"{PREFIX}:open"
"""Set of the ids of jobs that have not ended."""

WORKERS = f"{PREFIX}:workers"
"""Hash from a worker's name to its last heartbeat."""

MAINTAINER = f"{PREFIX}:keeper"
"""Name of the process that maintains open jobs; expires unless it is renewed."""


def _keys(kind: str) -> Callable[[str], str]:
    return lambda name: f"{PREFIX}:{kind}:{name}"


job = _keys("job")
"""Hash of a job's id: the record."""

items = _keys("items")
"""Hash from an item's number to the item."""

results = _keys("results")
"""Hash from an item's number to its line of results or errors."""

tries = _keys("tries")
"""Hash from an item's number to the number of its tries and the token of the last."""

running = _keys("running")
"""Sorted set of the chunks under way, by the time of their last heartbeat."""

lost = _keys("lost")
"""Set of the workers that ended with items under way beside others."""

events = _keys("events")
"""Stream of events."""

idempotency = _keys("idempotency")
"""Job made under the Idempotency-Key of a digest."""
