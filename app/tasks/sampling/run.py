"""Runs a sampling problem: from first states to ranked sentences, step by step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import structlog

from app.engine.engine import Engine
from app.engine.reports import ModelReport, UsageReport
from app.engine.session import scorer_report
from app.tasks.sampling.choice import (
    FINALISTS,
    NATURAL,
    RankBy,
    by_bayes_risk,
    finalists,
    naturalness,
    second_opinions,
)
from app.tasks.sampling.contexts import ReadContext
from app.tasks.sampling.convergence import (
    Convergence,
    convergence,
    of_draws,
    of_search,
    of_several_laws,
    order_number,
    warmup_of,
)
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.kinds.draws import Draws
from app.tasks.sampling.kinds.sequential import WeightedOptions
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.schemas import (
    ChainReport,
    Diagnostics,
    MoveReport,
    SamplingAnswer,
    SamplingRequest,
    Sentence,
    StepReport,
)
from app.tasks.sampling.trace import TraceReader
from app.tasks.sampling.weighted import by_weight, draws_report, log_weight
from models.language.scoring.kv_cache import Usage
from models.language.scoring.session import Session
from samplers.kernels.base import Chain, Kernel
from samplers.language import LanguageModel
from samplers.outcome import Outcome
from samplers.run import Step, run
from samplers.state import State
from samplers.trace import Trace, Visit, rank

log = structlog.get_logger()


class Progress(NamedTuple):
    """One step of a run.

    Attributes:
        step: all chains after the step; None while their first states are still to be found.
        best: the best state so far, if this step found it; else None.
    """

    step: Step | None
    best: Visit | None


@dataclass(eq=False)
class SamplingRun:
    """Chains that stand at their first states, ready to step.

    Attributes:
        request: options of the chains and of the answer.
        problem: the law, its moves and first states.
        kernel: the Markov kernel; None for draws that are no chains.
        engine: whose model scores.
        contexts: of each chain.
        seed: the seed used.
        sessions: with the language model under each context, that of the proposals last.
        model: of the chains, over the sessions.
        rngs: one generator a chain.
        first: the chains' first states, unless they are still to be found.
        draft: a sentence to show while they are, from the first chain's context.
        begin: finds them.
        deadline: seconds of sampling after which it ends where it stands.
        trace: what the chains have seen.
        started: when sampling began, by time.perf_counter.
        seconds: sampled so far.
        draws: a sampler that needs no first states, in place of the kernel.
        outcome: what it tells so far.
        drawn: its sentences so far.
    """

    request: SamplingRequest
    problem: SamplingProblem
    kernel: Kernel | None
    engine: Engine
    contexts: Sequence[ReadContext]
    seed: int
    sessions: Sequence[Session]
    model: LanguageModel[Any]
    rngs: list[np.random.Generator]
    first: list[State]
    deadline: float = float("inf")
    trace: Trace = field(default_factory=Trace)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    draws: Draws | None = None
    outcome: Outcome | None = None
    drawn: Sequence[Chain] = ()
    draft: State | None = None
    begin: Callable[[], Awaitable[list[State]]] | None = None

    async def progress(self) -> AsyncIterator[Progress]:
        """Step the chains to the end; closing the iterator stops them."""
        best: Visit | None = None
        driver = self._steps()
        try:
            if self.draft is not None and self.begin is not None:
                best = await self._drafted(self.draft)
                yield Progress(None, best)
                self.first = await self.begin()
            async for step in driver:
                better = self._ranked([*([best] if best else []), *self._taken(step)])[:1]
                found = better[0] if better and better[0] is not best else None
                best = found or best
                self.seconds = time.perf_counter() - self.started
                yield Progress(step, found)
                if self.seconds >= self.deadline:
                    break
        finally:
            await driver.aclose()
            log.info(
                "sampled" if self.trace.steps == self.last_step else "sampling stopped",
                steps=self.trace.steps,
                of=self.last_step,
                chains=len(self.trace.last),
                seconds=round(self.seconds, 3),
                lm_tokens=self.usage.lm_tokens,
            )

    async def _drafted(self, draft: State) -> Visit:
        """The draft as a visit, which may be chosen as any other."""
        model = self.sessions[0]
        (scored,) = await model.score([draft.tokens], [None])
        (log_weight,) = await self.problem.target.log_weights([draft])
        visit = Visit(draft, tuple(map(float, scored.log_probs)), chain=0, step=0, log_weight=log_weight)
        self.trace.visits[draft.tokens] = visit
        return visit

    def _ranked(self, visits: Sequence[Visit]) -> list[Visit]:
        """Best first, as far as no second opinion is needed."""
        by_density = self.rank_by in ("log_density", "naturalness")
        return sorted(visits, key=self.log_density, reverse=True) if by_density else rank(visits)

    async def _steps(self) -> AsyncGenerator[Step]:
        if self.draws is not None:
            steps = self.draws.run(self.model, self.seed)
        else:
            assert self.kernel is not None
            steps = run(self.kernel, self.model, self.first, self.rngs, self.last_step)
        async with aclosing(steps):
            async for step in steps:
                yield step

    @property
    def last_step(self) -> int:
        """Number of the step at which the run ends at the latest."""
        asked = self.request.sampler
        if isinstance(asked, SamplerOptions):
            return asked.steps
        assert self.draws is not None
        return self.draws.last_step

    def _taken(self, step: Step) -> list[Visit]:
        """Record a step; the sentences that are new."""
        self.outcome = step.outcome
        if step.whole:
            self.drawn = step.chains
            return self.trace.add(step)
        self.trace.steps = step.number
        return []

    def _last(self) -> list[Visit]:
        """Where the chains stand; of other draws those kept, or as many as are asked for, drawn by weight."""
        if self.outcome is None:
            asked = self.request.sampler
            return [
                visit
                for visit in self.trace.last
                if not isinstance(asked, SamplerOptions) or asked.of_target(visit.chain)
            ]
        drawn = by_weight(self.drawn, self.outcome, self.request.samples, self.seed)
        return [self.trace.visits[chain.state.tokens] for chain in drawn]

    @property
    def usage(self) -> Usage:
        """Work of all sessions, which share it."""
        return self.sessions[0].usage

    def sentence(self, visit: Visit, measures: Mapping[str, float | None] | None = None) -> Sentence:
        """A visit as the caller sees it, with what its order is told by."""
        vocabulary, view = self.problem.vocabulary, self.problem.view
        schema, details = (Sentence, {}) if view is None else (view.schema, view.details(visit))
        return schema(
            **details,
            text=self.problem.text(visit.state),
            log_prob=visit.log_prob,
            log_prob_per_token=visit.log_prob_per_token,
            log_density=self.log_density(visit),
            tokens=[vocabulary.piece(token) for token in visit.state.tokens],
            chain=visit.chain,
            step=visit.step,
            log_weight=log_weight(self.outcome, visit.chain),
            **(measures or {}),
        )

    def report(self, step: Step) -> StepReport:
        """A step as the caller sees it."""
        return StepReport(
            step=step.number,
            steps=self.last_step,
            chains=[
                ChainReport(
                    text=self.problem.text(chain.state),
                    log_prob=chain.log_prob,
                    log_prob_per_token=chain.log_prob / len(chain.state),
                    step=chain.steps,
                    moved=chain.moved,
                )
                for chain in step.chains
            ],
        )

    def convergence(self) -> Convergence:
        """What the chains tell of their convergence."""
        steps, sampler = self.trace.steps, self.request.sampler
        if not isinstance(sampler, SamplerOptions):
            return of_draws()
        if sampler.searches:
            return of_search(steps)
        if len(set(self.contexts)) > 1:
            return of_several_laws(steps)
        asked = [chain for chain in range(sampler.chains) if sampler.of_target(chain)]
        return convergence(
            {name: self.trace.draws(quantity, warmup_of(steps))[asked] for name, quantity in self.quantities().items()},
            steps,
        )

    def reader(self) -> TraceReader | None:
        """Reads the trace that was asked for."""
        if self.request.trace == "none":
            return None
        return TraceReader(self.trace, self.quantities(), self.problem.vocabulary.piece)

    def quantities(self) -> dict[str, Callable[[Visit], float]]:
        """What is followed along the chains, by name; log pi is that of beta = 1."""
        return {
            "log_density": self.log_density,
            "length": lambda visit: len(visit.state),
            "keyword_order": lambda visit: order_number(visit.state.keywords),
        }

    def log_density(self, visit: Visit) -> float:
        """Of a visit at beta = 1, in nats."""
        return self.problem.target.log_density(visit.state, np.asarray(visit.log_probs), visit.log_weight, 1.0)

    @property
    def rank_by(self) -> RankBy:
        """The order of the sentences."""
        asked, searches = self.request.rank_by, self.request.sampler.searches
        view, weighted = self.problem.view, isinstance(self.request.sampler, WeightedOptions)
        if asked is None and self.request.select == "best" and weighted and view is not None and view.cost is not None:
            return "minimum_bayes_risk"
        best_of_search = searches and self.request.select == "best"
        return asked or (self.problem.rank_by if best_of_search else "log_prob_per_token")

    async def chosen(self) -> list[Sentence]:
        """The sentences of the answer, in its order."""
        visits: Iterable[Visit] = self.trace.visits.values() if self.request.select == "best" else self._last()
        vocabulary, samples, order = self.problem.vocabulary, self.request.samples, self.rank_by
        if order == "minimum_bayes_risk":
            return await self._agreeing()
        if order == "log_prob_per_token":
            return [self.sentence(visit) for visit in finalists(list(visits), vocabulary, samples)]
        many = {"log_density": 0, "naturalness": NATURAL}.get(order, FINALISTS)
        best = finalists(list(visits), vocabulary, max(samples, many), self.log_density)
        judged = best[:many]
        measures = await self._measured(judged) if judged else []
        ordered = sorted(zip(judged, measures, strict=True), key=lambda pair: -pair[1][order])
        sentences = [self.sentence(*pair) for pair in ordered] + [self.sentence(visit) for visit in best[many:]]
        return sentences[:samples]

    async def _measured(self, judged: Sequence[Visit]) -> list[dict[str, float]]:
        """What their order is told by of those that are scored again."""
        vocabulary, language, room = self.problem.vocabulary, self.problem.language, self.problem.max_tokens
        if self.rank_by == "naturalness":
            found = await naturalness(judged, self.engine, vocabulary, language, room, self.usage)
            return [{"naturalness": each} for each in found]
        opinions = await second_opinions(judged, self.contexts, self.engine, vocabulary, language, room, self.usage)
        return [opinion._asdict() for opinion in opinions]

    async def _agreeing(self) -> list[Sentence]:
        """The sentences of minimum Bayes risk: the best of weighted draws, or of what :meth:`_last` has, each alike."""
        weights = None if self.outcome is None or self.request.select == "last" else self.outcome.log_weights
        drawn = self._last() if weights is None else [self.trace.visits[chain.state.tokens] for chain in self.drawn]
        if not drawn:
            return []
        view = self.problem.view
        ordered = await asyncio.to_thread(
            by_bayes_risk,
            drawn,
            [0.0] * len(drawn) if weights is None else weights,
            self.problem.vocabulary,
            self.problem.language,
            None if view is None else view.cost,
        )
        return [self.sentence(visit, {"utility": utility}) for visit, utility in ordered[: self.request.samples]]

    async def account(self) -> SamplingAnswer:
        """How the run went, as far as it has gone."""
        texts = [context.text for context in self.contexts]
        guide, reader = self.problem.contexts.guide, self.reader()
        # Of many long chains a fifth of a second.
        convergence = await asyncio.to_thread(self.convergence)
        trace = None if reader is None else await asyncio.to_thread(reader.whole)
        return SamplingAnswer(
            rank_by=self.rank_by,
            constraints=list(self.problem.options),
            diagnostics=Diagnostics(
                acceptance={
                    name: MoveReport(
                        tried=count.tried, proposed=count.proposed, moved=count.moved, acceptance=count.acceptance
                    )
                    for name, count in sorted(self.trace.moves.items())
                },
                states_visited=len(self.trace.visits),
                seconds=self.seconds,
                steps=self.trace.steps,
                draws=None if self.outcome is None else draws_report(self.outcome),
                **dict(convergence),
            ),
            usage=UsageReport(
                lm_calls=self.usage.lm_calls,
                lm_tokens=self.usage.lm_tokens,
                recalled=sum(session.recalled for session in self.sessions),
            ),
            model=ModelReport(
                **dict(scorer_report(self.sessions[0].model)),
                vocabulary=self.problem.vocabulary.name,
                context=texts[0] if len(set(texts)) == 1 else None,
                contexts=texts if len(set(texts)) > 1 else None,
                proposals=None if guide is None else guide.text,
            ),
            seed=self.seed,
            trace=trace,
        )
