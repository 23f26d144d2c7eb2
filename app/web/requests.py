"""Parts that all routes share: bodies of JSON, documented problems, work that ends when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.web.codes import Code
from app.web.drain import Drain
from app.web.json_text import read_json
from app.web.media import is_json, media_type, refused
from app.web.problems import KINDS, MEDIA_TYPE, failure

T = TypeVar("T")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems that a route may answer."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    seconds = {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 0}}}
    return {
        status: {
            "description": KINDS[status][2],
            "content": content,
            **({"headers": seconds} if status in (429, 503) else {}),
        }
        for status in sorted(statuses)
    }


class JsonRequest(Request):
    """A request whose JSON has been read."""

    content: Any

    async def json(self) -> Any:
        """The value, for FastAPI, which takes any failure here for a mistake of the JSON."""
        return self.content


class JsonRoute(APIRoute):
    """A route whose body, if it takes one, is JSON, declared as such."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The function that FastAPI calls with a request."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def reading(request: Request) -> Response:
            asked = JsonRequest(request.scope, request.receive)
            body = await asked.body()
            kind = media_type(asked.headers)
            if body and not is_json(kind):
                raise refused(kind, lines=False)
            asked.content = read_json(body)
            return await handle(asked)

        return reading


async def until_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, which is cancelled as soon as the client leaves.

    Raises:
        ProblemError: 503 if the service stops meanwhile, 504 if it takes longer than any answer may,
            499, which nobody reads, if the client left.
    """
    drain: Drain = request.app.state.drain
    most = request.app.state.settings.limits.max_answer_seconds
    task = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_leaving(request))
    cut = asyncio.ensure_future(drain.cut.wait())
    try:
        await asyncio.wait([task, leaving, cut], timeout=most, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if leaving.done():
            raise failure(499, Code.CLIENT_GONE, "the client left", "stay until the answer")
        if cut.done():
            raise drain.problem()
        message = f"there was no answer within {most:g} seconds"
        remedy = "ask for less in one request, stream, or send again when the service is less busy"
        raise failure(504, Code.TIMED_OUT, message, remedy)
    finally:
        for each in (task, leaving, cut):
            each.cancel()
        await asyncio.gather(task, leaving, cut, return_exceptions=True)


async def _leaving(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
