"""A batch: submit, follow, write."""

from __future__ import annotations

import asyncio

from app.cli.batch.ledger import Ledger
from app.cli.batch.progress import progress_bar
from app.cli.batch.source import BadLinesError, Source
from app.jobs.schemas import OnInvalid
from app.web.problems import Fault
from chainwright_client import AsyncClient, ClientError, Job, Kind, ServiceError

REFUSED = (400, 413, 415, 422)
"""Statuses of a job that was not accepted because of what it is."""


async def run(client: AsyncClient, source: Source, ledger: Ledger, on_invalid: OnInvalid) -> Job:
    """The job once it has ended and all its lines are written; killed at any moment, the next run goes on.

    Raises:
        BadLinesError: lines that the service refuses; nothing has run.
        chainwright_client.ClientError: the service is away or refuses.
        OSError: a file cannot be written.
    """
    if ledger.notes.job is None:
        ledger.notes.job = (await _submit(client, source, ledger.notes.key, on_invalid)).id
        ledger.save()
    job_id = ledger.notes.job
    try:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(client, job_id))
            writing = asyncio.Lock()
            group.create_task(_write(client, job_id, "results", ledger, writing))
            group.create_task(_write(client, job_id, "errors", ledger, writing))
    except* (ClientError, OSError) as errors:
        raise errors.exceptions[0] from None
    job = watching.result()
    ledger.notes.status = job.status
    ledger.save()
    return job


async def _watch(client: AsyncClient, job_id: str) -> Job:
    with progress_bar() as show:
        return await client.wait(job_id, progress=show)


async def _submit(client: AsyncClient, source: Source, key: str, on_invalid: OnInvalid) -> Job:
    try:
        return await client.create_job(source.content, idempotency_key=key, on_invalid=on_invalid)
    except ServiceError as error:
        if error.status in REFUSED:
            # Unchecked: a newer service may have codes that this command does not know.
            faults = [Fault.model_construct(**fault.model_dump()) for fault in error.errors]
            raise BadLinesError([source.renumbered(fault) for fault in faults]) from error
        raise


async def _write(client: AsyncClient, job_id: str, kind: Kind, ledger: Ledger, writing: asyncio.Lock) -> None:
    async for page in client.pages(job_id, kind, after=ledger.written(kind).cursor):
        async with writing:
            await asyncio.to_thread(ledger.append, kind, page)
