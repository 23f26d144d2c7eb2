"""Files of a batch's results and errors: views of its job, kept nowhere."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from app.jobs import results
from app.jobs.results import Kind
from app.jobs.store import keys
from app.jobs.store.record import Record
from app.jobs.store.store import JobStore
from app.openai.files import PREFIX
from app.openai.schemas import FileObject

KINDS: dict[Kind, str] = {"results": "output", "errors": "errors"}
"""What each kind of lines is called in a file's name."""

_ID = re.compile(r"file-([0-9a-f]{28})-(output|errors)")
_DELETED = "deleted"


def output_id(record: Record, kind: Kind) -> str | None:
    """Id of the file of a job's results or errors; None before the job ends, and if there are no such lines."""
    there = record.completed if kind == "results" else record.total - record.completed
    return _id(record.id, kind) if record.ended and there else None


def _id(job_id: str, kind: Kind) -> str:
    return f"file-{job_id.removeprefix('job_')}-{KINDS[kind]}"


def _note(file_id: str) -> str:
    """Key of what is known of a file: its size, or that it is deleted."""
    return f"{PREFIX}:output:{file_id}"


@dataclass(frozen=True, slots=True)
class Output:
    """File of the results or errors of a batch that has ended."""

    id: str
    record: Record
    kind: Kind


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files of the results and errors of batches."""

    store: JobStore

    async def ids(self) -> list[str]:
        """Ids that the files of all batches have, oldest first, also of those that there are not yet or no more."""
        return [_id(job_id, kind) for job_id in await self.store.redis.zrange(keys.BATCHES, 0, -1) for kind in KINDS]

    async def find(self, file_ids: Sequence[str]) -> dict[str, Output]:
        """Files by their ids, as far as there are."""
        asked = {f"job_{found[1]}" for found in map(_ID.fullmatch, file_ids) if found}
        if not asked:
            return {}
        records = await self.store.readable(sorted(asked), keys.BATCHES)
        found = [
            Output(name, record, kind)
            for record in records
            for kind in KINDS
            if record.batch and (name := output_id(record, kind)) in file_ids and name is not None
        ]
        notes = await self.store.redis.mget([_note(each.id) for each in found]) if found else []
        return {each.id: each for each, note in zip(found, notes, strict=True) if note != _DELETED}

    async def report(self, output: Output) -> FileObject:
        """A file as the API shows it; its size is counted the first time."""
        record = output.record
        ended_at = int(getattr(record, f"{record.status}_at") or record.now)
        return FileObject(
            id=output.id,
            bytes=await self._size(output),
            created_at=int(record.created_at),
            filename=f"{record.id}_{KINDS[output.kind]}.jsonl",
            purpose="batch_output",
            expires_at=ended_at + self.store.retention,
        )

    async def _size(self, output: Output) -> int:
        known = await self.store.redis.get(_note(output.id))
        if known is not None and known.isdigit():
            return int(known)
        size = 0
        async for piece in self.content(output):
            size += len(piece)
        await self.store.redis.set(_note(output.id), size, ex=self.store.retention, nx=True)
        return size

    def content(self, output: Output) -> AsyncGenerator[bytes]:
        """Lines of a file."""
        return results.every(self.store, output.record, output.kind)

    async def delete(self, output: Output) -> None:
        """Show a file no more; its lines stay with the job."""
        await self.store.redis.set(_note(output.id), _DELETED, ex=self.store.retention)
