"""The sampler without an engine: every proposal read from its first token, nothing prefetched, nothing kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from app.languages.registry import masks
from app.settings.settings import Settings
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.prepare import kernel_of
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import Known, Session
from samplers.first_states import construct
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import ProposalQuery, ProposalReply
from samplers.run import generators, run


@dataclass(frozen=True)
class Whole:
    """A language model that reads every sentence from its start."""

    session: Session

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[Known | None]) -> list[Known]:
        """See :meth:`samplers.language.LanguageModel.score`."""
        return await self.session.score(sentences, [None] * len(sentences))

    async def propose(self, scored: Sequence[Known], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        """See :meth:`samplers.language.LanguageModel.propose`."""
        return await self.session.propose(scored, queries)


def plain(bodies: Sequence[dict[str, Any]]) -> float:
    """Seconds of annealing requests, one after the other, all chains of one in a batch."""
    settings = Settings()
    model = load(
        settings.model, cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules())
    )
    with ThreadPoolExecutor(1) as executor:
        started = time.perf_counter()
        for body in bodies:
            asyncio.run(_one(body, model, Batcher(executor)))
        return time.perf_counter() - started


async def _one(body: dict[str, Any], model: LoadedModel, batcher: Batcher) -> None:
    request = SentencesRequest.model_validate(body | {"sampler": body["sampler"] | {"delayed": False}})
    problem, sampler = make_problem(request, model, Settings().limits), request.sampler
    assert isinstance(sampler, SamplerOptions)
    kernel = kernel_of(problem, sampler)
    assert isinstance(kernel, MetropolisHastings)
    kernel = replace(kernel, lookahead=1)
    lm = Whole(await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher, remember=0))
    rngs = generators(body["seed"], sampler.chains)
    first = await construct(problem.source, problem.target, lm, rngs, drafts=sampler.drafts_per_chain)
    async for _ in run(kernel, lm, first, rngs, sampler.steps):
        pass
