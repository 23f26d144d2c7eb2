"""Uploaded files, kept in the queue's server: all services on it see them, and they outlive a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from redis.client import NEVER_DECODE
from starlette.datastructures import UploadFile

from app.jobs.store.connection import Redis, wait_until_on_disk
from app.jobs.store.record import new_id
from app.jobs.store.store import UNCOMMITTED_SECONDS
from app.openai.schemas import FileObject
from app.settings.settings import Limits
from app.web.codes import Code
from app.web.problems import invalid

PREFIX = "chainwright:files:1"
"""Of all keys of files; the number changes when the layout does."""

ALL = f"{PREFIX}:all"
"""Hash from a file's id to the file as JSON, without its content."""

PIECE_BYTES = 1 << 20
"""Size of the pieces that a content is cut into: each is one exchange with the server."""


def _content(file_id: str) -> str:
    """Key of a content: a hash from a piece's number to the piece."""
    return f"{PREFIX}:content:{file_id}"


@dataclass(frozen=True, slots=True)
class FileStore:
    """Files on the queue's server; every call may be repeated when its reply was lost.

    Attributes:
        limits: bounds on all files together, which uploads at the same moment may pass by one file each.
    """

    redis: Redis
    limits: Limits

    async def add(self, upload: UploadFile, name: str, seconds: int) -> FileObject:
        """Keep a file for some seconds; it is on the disk when this returns.

        Raises:
            ProblemError: 422 if there is no room for it, or it is empty.
        """
        size = upload.size or 0
        self._check(size, await self.all())
        file_id = new_id("file-")
        async with self.redis.client() as connection:
            for number in range(-(-size // PIECE_BYTES)):
                await connection.hset(_content(file_id), str(number), await upload.read(PIECE_BYTES))
                await connection.expire(_content(file_id), UNCOMMITTED_SECONDS)
            now, _ = await connection.time()
            file = FileObject(
                id=file_id, bytes=size, created_at=now, filename=name, purpose="batch", expires_at=now + seconds
            )
            await connection.expireat(_content(file_id), now + seconds)
            await connection.hset(ALL, file_id, file.model_dump_json())
            await wait_until_on_disk(connection)
        return file

    def _check(self, size: int, files: list[FileObject]) -> None:
        if not size:
            raise invalid("file", Code.MISSING, "the file is empty", "send one request a line")
        remedy = "delete files that are no longer needed, or raise "
        if len(files) >= self.limits.max_files:
            message = f"there are {len(files)} files, as many as may be"
            raise invalid("file", Code.TOO_MANY, message, f"{remedy}CHAINWRIGHT_MAX_FILES")
        if (total := size + sum(file.bytes for file in files)) > self.limits.max_files_bytes:
            message = f"with it all files have {total} bytes, above the limit of {self.limits.max_files_bytes}"
            raise invalid("file", Code.TOO_LARGE, message, f"{remedy}CHAINWRIGHT_MAX_FILES_BYTES")

    async def all(self) -> list[FileObject]:
        """Files, oldest first; those whose time is over are forgotten."""
        found, (now, _) = await asyncio.gather(self.redis.hgetall(ALL), self.redis.time())
        files = [FileObject.model_validate_json(text) for _, text in sorted(found.items())]
        over = [file.id for file in files if file.over(now)]
        if over:
            await self.redis.hdel(ALL, *over)
        return [file for file in files if not file.over(now)]

    async def find(self, file_id: str) -> FileObject | None:
        """A file; None if there is none of this id."""
        text, (now, _) = await asyncio.gather(self.redis.hget(ALL, file_id), self.redis.time())
        file = None if text is None else FileObject.model_validate_json(text)
        return None if file is None or file.over(now) else file

    async def content(self, file: FileObject) -> AsyncGenerator[bytes]:
        """Pieces of a file, the bytes that came in.

        Raises:
            LookupError: it was deleted meanwhile.
        """
        for number in range(-(-file.bytes // PIECE_BYTES)):
            piece = await self.redis.execute_command("HGET", _content(file.id), str(number), **{NEVER_DECODE: True})
            if piece is None:
                raise LookupError(f"{file.id} was deleted while it was read")
            yield piece

    async def delete(self, file_id: str) -> bool:
        """Delete a file; whether it was there."""
        async with self.redis.pipeline(transaction=True) as pipeline:
            pipeline.hdel(ALL, file_id)
            pipeline.unlink(_content(file_id))
            gone, _ = await pipeline.execute()
        return bool(gone)
