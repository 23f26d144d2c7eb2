"""Names of what jobs keep in Redis."""

from __future__ import annotations

PREFIX = "chainwright:jobs:1"
"""The number changes when the layout does."""

ALL = f"{PREFIX}:all"
"""Sorted set of the ids of all jobs; ids sort by age."""

OPEN = f"{PREFIX}:open"
"""Set of the ids of jobs that have not ended."""

WORKERS = f"{PREFIX}:workers"
"""Hash from a worker's name to its last heartbeat."""

KEEPER = f"{PREFIX}:keeper"
"""Name of who looks after open jobs, until it is not heard of."""

COSTS = f"{PREFIX}:costs"
"""Hash from a kind of item to the measured seconds of a unit of its work."""


def job(job_id: str) -> str:
    """Hash: the record."""
    return f"{PREFIX}:job:{job_id}"


def items(job_id: str) -> str:
    """Hash from an item's number to the item."""
    return f"{PREFIX}:items:{job_id}"


def results(job_id: str) -> str:
    """Hash from an item's number to its line of results or errors."""
    return f"{PREFIX}:results:{job_id}"


def tries(job_id: str) -> str:
    """Hash from an item's number to how often it was begun, and by which delivery last."""
    return f"{PREFIX}:tries:{job_id}"


def running(job_id: str) -> str:
    """Sorted set of the chunks being worked on, by when they were last heard of."""
    return f"{PREFIX}:running:{job_id}"


def lost(job_id: str) -> str:
    """Set of the workers that ended with items under way that ran beside others."""
    return f"{PREFIX}:lost:{job_id}"


def events(job_id: str) -> str:
    """Stream of what happened."""
    return f"{PREFIX}:events:{job_id}"


def idempotency(digest: str) -> str:
    """The job that an Idempotency-Key made."""
    return f"{PREFIX}:idempotency:{digest}"
