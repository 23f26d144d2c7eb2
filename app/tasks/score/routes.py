"""POST /v1/score."""

from __future__ import annotations

from fastapi import APIRouter, Request

from app.engine.ready import ReadyEngine
from app.tasks.score.schemas import ScoreAnswer, ScoreRequest
from app.tasks.score.score import score
from app.web.requests import JsonRoute, problem_responses, until_disconnect

router = APIRouter(tags=["score"], route_class=JsonRoute)


@router.post(
    "/v1/score",
    responses=problem_responses(400, 413, 415, 422, 429, 500, 503),
    summary="Log-probs of texts",
)
async def scores(body: ScoreRequest, request: Request, engine: ReadyEngine) -> ScoreAnswer:
    """How likely each text is under the language model, token by token.

    Probabilities are renormalised over the vocabulary that the answer names: the same scale as
    the sentences of /v1/sentences in that vocabulary.
    """
    return await until_disconnect(request, score(body, engine))
