"""Server-sent events of a job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi.sse import format_sse_event

from app.jobs.schemas import ENDED, JobEvent
from app.jobs.store.connection import AWAY
from app.jobs.store.store import JobStore

POLL_SECONDS = 0.25
"""Time between polls for new events: no connection is held, and a restart of the server goes unnoticed."""

SILENT_POLLS = 20
"""Polls without an event after which the job itself is looked up."""


async def events(store: JobStore, job_id: str, after: str) -> AsyncGenerator[bytes]:
    """Events after the one of the id ``after``, to the end of the job."""
    silent = 0
    while True:
        try:
            found = await store.events(job_id, after)
            silent = 0 if found else silent + 1
            if silent >= SILENT_POLLS:
                silent = 0
                record = await store.record(job_id)
                if record is None or record.ended:
                    return
        except AWAY:
            found = []
        for after, fields in found:
            data = JobEvent.model_validate(fields | {"request_counts": fields})
            yield format_sse_event(event=fields["kind"], data_str=data.model_dump_json(), id=after)
            if data.status in ENDED:
                return
        if not found:
            await asyncio.sleep(POLL_SECONDS)
