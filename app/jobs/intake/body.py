"""Bodies of jobs, with a bound of their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import Request

from app.web.codes import Code
from app.web.problems import failure


async def bounded(request: Request, most: int) -> AsyncGenerator[bytes]:
    """Body of a request as it comes.

    Raises:
        ProblemError: 413 as soon as it has more than ``most`` bytes.
    """
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            message = f"the body has more than {most} bytes"
            remedy = "divide the job into several, or raise CHAINWRIGHT_MAX_JOB_BYTES"
            raise failure(413, Code.TOO_LARGE, message, remedy, headers={"Connection": "close"})
        yield piece


async def read_body(request: Request, most: int) -> bytes:
    """Body of a request, whole.

    Raises:
        ProblemError: 413 as soon as it has more than ``most`` bytes.
    """
    content = bytearray()
    async for piece in bounded(request, most):
        content += piece
    return bytes(content)
