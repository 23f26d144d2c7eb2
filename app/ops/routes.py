"""Operational routes: health, readiness, the model."""

from __future__ import annotations

from fastapi import APIRouter, Request

from app.engine.engine import Engine
from app.engine.ready import ReadyEngine, ready_engine
from app.engine.session import scorer_report
from app.ops.schemas import Computing, Health, ListedModel, ModelCard, Models, Ready, StoreReport
from app.web.codes import Code
from app.web.drain import Drain
from app.web.problems import failure
from app.web.requests import problem_responses

STUCK_SECONDS = 600.0
"""Time of one batch after which the model is taken to hang: the longest, the conversion of a default
model for retrieval on a slow disk, takes two minutes."""

router = APIRouter(tags=["operations"])


@router.get("/health", responses=problem_responses(500, 503), summary="Alive?")
async def health(request: Request) -> Health:
    """200 as long as the process answers and the model moves; 503 if it ought to be started anew.

    Ask this for liveness. It needs no key and asks no other server.
    """
    engine: Engine | None = request.app.state.loading.engine
    began = engine.batcher.began if engine is not None else None
    seconds = engine.batcher.clock() - began if engine is not None and began is not None else 0.0
    if seconds > STUCK_SECONDS:
        message = f"the model has been at one batch for {seconds:.0f} seconds"
        remedy = "start the service again, and see its log and the device's"
        raise failure(503, Code.UNAVAILABLE, message, remedy)
    return Health()


@router.get("/ready", responses=problem_responses(500, 503), summary="Ready?")
async def ready(request: Request) -> Ready:
    """200 once the model is loaded, 503 before, and again when the service stops.

    Ask this before sending work. It needs no key. The score store is told of but need not be there.
    """
    drain: Drain = request.app.state.drain
    if drain.started.is_set():
        raise drain.problem()
    engine = await ready_engine(request)
    return Ready(model=engine.model.name, fingerprint=engine.model.fingerprint, store=_store(engine))


def _store(engine: Engine) -> StoreReport:
    if engine.scores is None:
        return StoreReport(kept="nowhere")
    state = engine.scores.counters.breaker
    if state == "off":
        return StoreReport(kept="memory")
    return StoreReport(kept="redis" if state == "closed" else "memory", redis=state)


@router.get("/v1/models", responses=problem_responses(500, 503), summary="Which model")
async def models(engine: ReadyEngine) -> Models:
    """The loaded model and the limits of requests."""
    model = engine.model
    card = ModelCard(
        **scorer_report(model).model_dump(),
        computing=Computing.model_validate(model.scorer.forward.arithmetic),
        parameters=model.parameters,
        batch_invariant=model.scorer.forward.batch_invariant,
        max_context=model.max_context,
        vocabularies=model.vocabularies,
    )
    return Models(data=[ListedModel(id=model.name)], models=[card], limits=engine.limits)


@router.get("/v1/models/{name}", responses=problem_responses(404, 422, 500, 503), summary="A model by its name")
async def model(name: str, engine: ReadyEngine) -> ListedModel:
    """The loaded model, as OpenAI's clients ask for it."""
    if name != engine.model.name:
        message = f"there is no model {name[:80]!r} here"
        raise failure(404, Code.NOT_FOUND, message, f"ask for {engine.model.name!r}")
    return ListedModel(id=name)


@router.get("/v1/models/{owner}/{name}", include_in_schema=False)
async def model_of_hub(owner: str, name: str, engine: ReadyEngine) -> ListedModel:
    """The same where its name is a hub id."""
    return await model(f"{owner}/{name}", engine)
