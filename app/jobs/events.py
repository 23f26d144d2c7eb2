"""What happens to a job, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi.sse import format_sse_event

from app.jobs.schemas import ENDED, JobEvent, RequestCounts
from app.jobs.store.connection import AWAY
from app.jobs.store.store import JobStore

LOOK_EVERY = 0.25
"""Seconds between looks for new events: no connection is held, and a restarted server goes unnoticed."""

GONE = 20
"""Looks without an event after which it is checked that the job is still there."""


async def events(store: JobStore, job_id: str, after: str) -> AsyncGenerator[bytes]:
    """Events behind the one with the id ``after``, to the one that ends the job."""
    silent = 0
    while True:
        try:
            found = await store.events(job_id, after)
            silent = 0 if found else silent + 1
            if silent >= GONE:
                silent = 0
                record = await store.record(job_id)
                if record is None or record.ended:
                    return
        except AWAY:
            found = []
        for after, fields in found:
            data = JobEvent(
                id=fields["id"],
                status=fields["status"],  # type: ignore[arg-type]
                request_counts=RequestCounts(
                    total=int(fields["total"]), completed=int(fields["completed"]), failed=int(fields["failed"])
                ),
                at=float(fields["at"]),
            )
            yield format_sse_event(event=fields["kind"], data_str=data.model_dump_json(), id=after)
            if data.status in ENDED:
                return
        if not found:
            await asyncio.sleep(LOOK_EVERY)
