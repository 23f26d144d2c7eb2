"""Runs a sampling problem: from first states to ranked sentences, step by step."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import structlog

from app.engine.engine import Engine
from app.engine.reports import ModelReport, UsageReport
from app.engine.session import fits, open_session, scorer_report
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.kinds.draws import Draws
from app.tasks.sampling.moves import mix
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.schemas import (
    ChainReport,
    Diagnostics,
    MoveReport,
    SamplingRequest,
    Sentence,
    SentencesAnswer,
    StepReport,
)
from app.tasks.sampling.weighted import by_weight, draws_report, log_weight
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.session import Session
from samplers.first_states import InfeasibleError, construct
from samplers.kernels.base import Chain, Kernel
from samplers.outcome import Outcome
from samplers.run import Step, generators, run
from samplers.state import State
from samplers.trace import Trace, Visit, rank

log = structlog.get_logger()


class Progress(NamedTuple):
    """One step of a run.

    Attributes:
        step: all chains after the step.
        best: the best state so far, if this step found it; else None.
    """

    step: Step
    best: Visit | None


@dataclass(eq=False)
class SamplingRun:
    """Chains that stand at their first states, ready to step.

    Attributes:
        request: options of the chains and of the answer.
        problem: the law, its moves and first states.
        kernel: the Markov kernel; None for draws that are no chains.
        context: text that every sentence continues.
        seed: the seed used.
        session: the language model of this request.
        rngs: one generator a chain.
        first: the chains' first states.
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
    context: str
    seed: int
    session: Session
    rngs: list[np.random.Generator]
    first: list[State]
    deadline: float = float("inf")
    trace: Trace = field(default_factory=Trace)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0
    draws: Draws | None = None
    outcome: Outcome | None = None
    drawn: Sequence[Chain] = ()

    async def progress(self) -> AsyncIterator[Progress]:
        """Step the chains to the end; closing the iterator stops them."""
        best: Visit | None = None
        driver = self._steps()
        try:
            async for step in driver:
                better = rank([*self._taken(step), *([best] if best else [])])[:1]
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
                lm_tokens=self.session.usage.lm_tokens,
            )

    def _steps(self) -> AsyncGenerator[Step]:
        if self.draws is not None:
            return self.draws.run(self.session, self.seed)
        assert self.kernel is not None
        return run(self.kernel, self.session, self.first, self.rngs, self.last_step)

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

    def sentence(self, visit: Visit) -> Sentence:
        """A visit as the caller sees it."""
        vocabulary = self.problem.vocabulary
        return Sentence(
            text=vocabulary.decode(visit.state.tokens),
            log_prob=visit.log_prob,
            log_prob_per_token=visit.log_prob_per_token,
            tokens=[vocabulary.piece(token) for token in visit.state.tokens],
            chain=visit.chain,
            step=visit.step,
            log_weight=log_weight(self.outcome, visit.chain),
        )

    def report(self, step: Step) -> StepReport:
        """A step as the caller sees it."""
        decode = self.problem.vocabulary.decode
        return StepReport(
            step=step.number,
            steps=self.last_step,
            chains=[
                ChainReport(
                    text=decode(chain.state.tokens),
                    log_prob=chain.log_prob,
                    log_prob_per_token=chain.log_prob / len(chain.state),
                    step=chain.steps,
                    moved=chain.moved,
                )
                for chain in step.chains
            ],
        )

    def answer(self) -> SentencesAnswer:
        """The sentences and how the run went, as far as it has gone."""
        visits: Iterable[Visit] = self.trace.visits.values() if self.request.select == "best" else self._last()
        chosen: dict[str, Sentence] = {}
        for visit in rank(list(visits)):
            if len(chosen) == self.request.samples:
                break
            sentence = self.sentence(visit)
            chosen.setdefault(sentence.text, sentence)
        usage = self.session.usage
        return SentencesAnswer(
            sentences=list(chosen.values()),
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
            ),
            usage=UsageReport(lm_calls=usage.lm_calls, lm_tokens=usage.lm_tokens, recalled=self.session.recalled),
            model=ModelReport(
                **dict(scorer_report(self.session.model)),
                vocabulary=self.problem.vocabulary.name,
                context=self.context,
            ),
            seed=self.seed,
        )


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
    """Wait for admission, open the session, draw first states; admission ends with the context.

    Raises:
        ProblemError: 422 for a problem without a first state or a context too long, 429 if too many wait.
    """
    sampler = request.sampler
    kernel, draws = None, None
    if isinstance(sampler, SamplerOptions):
        kernel = kernel_of(problem, sampler, lambda: engine.admission.running)
    else:
        draws = sampler.draws_of(problem, request.samples)
    async with engine.admission.take():
        started = time.perf_counter()
        # Below 2**53, so that a JavaScript client reads it back exactly.
        seed = secrets.randbits(53) if request.seed is None else request.seed
        context = problem.language.context(request.context, lambda text: fits(engine, text, problem.max_tokens))
        session = await open_session(engine, problem.vocabulary.name, context, problem.max_tokens)
        rngs = generators(seed, sampler.chains) if isinstance(sampler, SamplerOptions) else []
        with session.sampling():
            first: list[State] = []
            if isinstance(sampler, SamplerOptions):
                try:
                    drafts = sampler.drafts_per_chain
                    first = await construct(problem.source, problem.target, session, rngs, drafts=drafts)
                except InfeasibleError as error:
                    raise invalid(problem.field, Code.INFEASIBLE, str(error), problem.remedy) from error
            deadline = min(request.seconds or float("inf"), engine.limits.max_seconds)
            sampling = SamplingRun(request, problem, kernel, context, seed, session, rngs, first, deadline)
            sampling.draws, sampling.started = draws, started
            yield sampling
