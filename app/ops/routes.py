"""GET /health, /ready and /v1/models."""

from __future__ import annotations

from fastapi import APIRouter

from app.http import ReadyEngine, problem_responses
from app.ops.schemas import Health, ModelCard, Models, Ready

router = APIRouter(tags=["operations"])


@router.get("/health", responses=problem_responses(500), summary="Alive?")
async def health() -> Health:
    """Answers as soon as the process does."""
    return Health()


@router.get("/ready", responses=problem_responses(500, 503), summary="Ready?")
async def ready(engine: ReadyEngine) -> Ready:
    """200 once the model is loaded, 503 before."""
    return Ready(model=engine.model.name, fingerprint=engine.model.fingerprint)


@router.get("/v1/models", responses=problem_responses(500, 503), summary="Which model")
async def models(engine: ReadyEngine) -> Models:
    """The loaded model and the limits of requests."""
    model = engine.model
    card = ModelCard(
        name=model.name,
        fingerprint=model.fingerprint,
        precision=model.precision,
        device=model.device,
        parameters=model.parameters,
        batch_invariant=model.scorer.batch_invariant,
        max_context=model.max_context,
        vocabularies=sorted(model.rules),
    )
    return Models(models=[card], limits=engine.limits)
