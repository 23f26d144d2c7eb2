"""Bodies of jobs, with a bound of their own."""

from __future__ import annotations

from fastapi import Request

from app.web.codes import Code
from app.web.problems import failure


async def read_body(request: Request, most: int) -> bytes:
    """Body of a request.

    Raises:
        ProblemError: 413 as soon as it has more than ``most`` bytes.
    """
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            message = f"the body has more than {most} bytes"
            remedy = "divide the job into several, or raise CHAINWRIGHT_MAX_JOB_BYTES"
            raise failure(413, Code.TOO_LARGE, message, remedy, headers={"Connection": "close"})
    return bytes(content)
