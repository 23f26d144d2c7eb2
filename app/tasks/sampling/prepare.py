"""From a sampling problem to a run that stands at its first states."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np

from app.engine.adapted import adapted_models
from app.engine.engine import Engine
from app.engine.session import fits, open_session
from app.tasks.sampling.contexts import ReadContext
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.moves import mix
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.run import SamplingRun
from app.tasks.sampling.schemas import SamplingRequest
from app.tasks.sampling.starts import PARTICLE_STREAM, sequential
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.session import Session
from samplers.first_states import InfeasibleError, construct
from samplers.kernels.base import Kernel
from samplers.language import LanguageModel
from samplers.routing import GuidedModel, RoutedModel, construct_each
from samplers.run import generator, generators
from samplers.state import State
from samplers.trace import Trace


def kernel_of(problem: SamplingProblem, sampler: SamplerOptions, running: Callable[[], int] = lambda: 1) -> Kernel:
    """The kernel that a request chose for a problem.

    Args:
        problem: the law and its moves.
        sampler: options of the kernel.
        running: number of requests that use the model now, among which prefetched steps are shared.

    Raises:
        ProblemError: 422, no move that applies has a weight.
    """
    moves, weights = mix(sampler.moves, problem.moves)
    return sampler.kernel(problem, moves, weights, running)


@asynccontextmanager
async def prepared(problem: SamplingProblem, request: SamplingRequest, engine: Engine) -> AsyncIterator[SamplingRun]:
    """Wait for admission, then as :func:`begun`; admission ends with the context.

    Raises:
        ProblemError: as :func:`begun`, and 429 if too many wait.
    """
    if isinstance(request.sampler, SamplerOptions):
        kernel_of(problem, request.sampler)  # what it refuses need not wait
    async with engine.admission.take(), begun(problem, request, engine) as sampling:
        yield sampling


@asynccontextmanager
async def begun(problem: SamplingProblem, request: SamplingRequest, engine: Engine) -> AsyncIterator[SamplingRun]:
    """Open the session and draw first states; for one who has been admitted.

    Raises:
        ProblemError: 422 for a problem without a first state or a context too long.
    """
    sampler = request.sampler
    if request.rank_by == "naturalness" and problem.language.naturalness is None:
        message = f"no reader's marks are known for {problem.language.name}"
        raise invalid("rank_by", Code.UNKNOWN_VALUE, message, "take another order, or leave it out")
    kernel, draws = None, None
    if isinstance(sampler, SamplerOptions):
        kernel = kernel_of(problem, sampler, lambda: engine.admission.running)
    else:
        draws = sampler.draws_of(problem, request.samples)
    started = time.perf_counter()
    # Below 2**53, so that a JavaScript client reads it back exactly.
    seed = secrets.randbits(53) if request.seed is None else request.seed
    chains, shared = (sampler.chains, sampler.sharing) if isinstance(sampler, SamplerOptions) else (1, 1)
    dealt = problem.contexts.dealt(seed, chains // shared, lambda text: fits(engine, text, problem.max_tokens))
    contexts = [context for context in dealt for _ in range(shared)]
    sessions = await _open_sessions(problem, contexts, engine)
    own = [sessions[context] for context in contexts]
    guide = problem.contexts.guide
    # Draws that are no chains are the model's own.
    model = own[0] if kernel is None else _model(own, sessions[guide] if guide else None)
    rngs = generators(seed, chains)
    opened = list(sessions.values())
    with opened[0].sampling(*opened[1:]):
        first: list[State] = []
        draft: State | None = None
        begin: Callable[[], Awaitable[list[State]]] | None = None
        if isinstance(sampler, SamplerOptions):
            begin, draft = await _starts(problem, sampler, own, rngs, seed)
            if draft is None:
                try:
                    first = await begin()
                except InfeasibleError as error:
                    raise invalid(problem.field, Code.INFEASIBLE, str(error), problem.remedy) from error
        deadline = min(request.seconds or float("inf"), engine.limits.max_seconds)
        trace = Trace(edits=[] if request.trace == "edits" else None)
        sampling = SamplingRun(
            request, problem, kernel, engine, contexts, seed, opened, model, rngs, first, deadline, trace
        )
        sampling.draws, sampling.started = draws, started
        sampling.draft, sampling.begin = draft, begin
        yield sampling


async def _starts(
    problem: SamplingProblem,
    sampler: SamplerOptions,
    own: Sequence[Session],
    rngs: Sequence[np.random.Generator],
    seed: int,
) -> tuple[Callable[[], Awaitable[list[State]]], State | None]:
    """What finds the first states, and, where that takes long, a draft to show while it does; None if none was found.

    The draft shows that the problem has a first state, so nothing is refused after an answer has begun.
    """
    smc, draft = sequential(problem, sampler), None
    if smc is not None:
        with suppress(InfeasibleError):
            rng = generator(seed + PARTICLE_STREAM, smc.particles + 1)
            # With a token or none before each keyword it is soon there.
            (draft,) = await construct(problem.source, problem.target, own[0], [rng], max_free_tokens=1)

    async def begin() -> list[State]:
        try:
            return await construct_each(
                problem.source,
                problem.target,
                own,
                rngs,
                drafts=sampler.drafts_per_chain,
                smc=smc,
                seed=seed + PARTICLE_STREAM,
            )
        except InfeasibleError:
            if draft is None:
                raise
            return [draft] * len(own)

    return begin, draft


async def _open_sessions(
    problem: SamplingProblem, contexts: Sequence[ReadContext], engine: Engine
) -> dict[ReadContext, Session]:
    """A session for each distinct context, and one for the proposals' own; their usage is one.

    Raises:
        ProblemError: 422, a context is too long.
    """
    guide = problem.contexts.guide
    distinct = list(dict.fromkeys([*contexts, *([guide] if guide else [])]))
    models = adapted_models(engine)
    opened = [
        await open_session(
            engine,
            problem.vocabulary.name,
            context.text if context.tokens is None else context.tokens,
            problem.max_tokens,
            sharers=len(distinct),
            model=await models.get(context.adapter),
        )
        for context in distinct
    ]
    for session in opened:
        session.usage = opened[0].usage
    return dict(zip(distinct, opened, strict=True))


def _model(own: Sequence[Session], guide: Session | None) -> LanguageModel[Any]:
    """The model of chains whose sessions are given, with proposals from ``guide`` if there is one."""
    if guide is None:
        return own[0] if len(set(map(id, own))) == 1 else RoutedModel(own)
    guided = {id(session): GuidedModel(session, guide) for session in own}
    return RoutedModel([guided[id(session)] for session in own])
