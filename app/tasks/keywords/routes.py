"""POST /v1/sentences."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request

from app.engine.ready import ReadyEngine
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.service import complete, prepared
from app.tasks.sampling.schemas import SentencesAnswer
from app.tasks.sampling.stream import events
from app.web.events import EventResponse
from app.web.requests import JsonRoute, problem_responses, until_disconnect

router = APIRouter(tags=["sentences"], route_class=JsonRoute)

_STREAM = (
    "`stream: true` answers with server-sent events, each with JSON in `data`: `sentence` (a Sentence) whenever a "
    "sentence better than all before is found; `step` (a StepReport), at most five a second; at the end `done` (a "
    "SentencesAnswer), or `error` (a Problem) should the run fail midway. Lines that begin with a colon are comments."
)
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"The sentences, most fluent first. {_STREAM}",
        "content": {"text/event-stream": {"schema": {"type": "string", "description": _STREAM}}},
    },
    **problem_responses(400, 413, 415, 422, 429, 500, 503),
}


@router.post(
    "/v1/sentences",
    response_model=SentencesAnswer,
    responses=_RESPONSES,
    summary="Keywords to sentences",
)
async def sentences(body: SentencesRequest, request: Request, engine: ReadyEngine) -> Any:
    """Write fluent sentences that hold all the keywords.

    Markov chains edit sentences by inserting, deleting and replacing tokens; a language model
    scores each edit; the keywords, the length and the forbidden words hold at every step. No
    training, no prompt. When the client leaves, the chains stop.
    """
    if not body.stream:
        return await until_disconnect(request, complete(body, engine))
    held = AsyncExitStack()
    try:
        sampling = await until_disconnect(request, held.enter_async_context(prepared(body, engine)))
        return EventResponse(events(sampling), held, request.app.state.settings.ping_seconds)
    except BaseException:
        await held.aclose()
        raise
