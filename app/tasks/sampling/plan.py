"""What a request would do, without doing it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.engine.engine import Engine
from app.engine.session import checked_context, fits
from app.languages.base import Unit
from app.tasks.sampling.kernels import Sampler
from app.tasks.sampling.moves import mix
from app.tasks.sampling.problem import SamplingProblem
from samplers.first_states import KeywordBlocks

LM_TOKENS_PER_STEP = {True: 2.7, False: 5.0}
"""LM tokens by step, in two stages or one, first states included: measured for 今天 公园 散步 at 16 chains by 200 steps
in two stages, and by the ratio in docs/sampling.md in one."""


class LengthPlan(BaseModel):
    """Bounds of the length, both inclusive."""

    min: int
    max: int | None
    unit: Unit


class SamplingPlan(BaseModel):
    """Answer to a dry run: what the same request without `dry_run` would do. Nothing was sampled."""

    language: str = Field(description="of the sentences, by its code")
    vocabulary: str = Field(description="the mask over which probabilities would be renormalised")
    length: LengthPlan
    keywords: list[list[list[str]]] = Field(
        description="for each keyword the spellings of its forms, each as the texts of its tokens"
    )
    moves: dict[str, float] = Field(description="probability of each move that applies")
    sampler: Sampler = Field(description="the sampler's options, defaults filled in")
    drafts: int = Field(description="first states that each chain would draw to start from the best")
    context: str = Field(description="the text that every score would be conditioned on")
    context_tokens: int
    expected_seconds: float = Field(description="rough: of the default model on two cores, waiting excluded")
    expected_lm_tokens: int = Field(description="rough, without the context's")


def plan_of(
    problem: SamplingProblem, sampler: Sampler, given_context: str | None, engine: Engine, seconds: float
) -> SamplingPlan:
    """The plan for a problem.

    Args:
        problem: of the request.
        sampler: its options.
        given_context: its context; None for the language's own.
        engine: whose tokenizer and limits hold.
        seconds: that it is expected to take.

    Raises:
        ProblemError: 422, no move that applies has a weight, or the context is too long.
    """
    _, weights = mix(sampler.moves, problem.moves)
    context = problem.language.context(given_context, lambda text: fits(engine, text, problem.max_tokens))
    forms = problem.source.forms if isinstance(problem.source, KeywordBlocks) else []
    piece, length = problem.vocabulary.piece, problem.length
    return SamplingPlan(
        language=problem.language.code,
        vocabulary=problem.vocabulary.name,
        length=LengthPlan(min=length.minimum, max=length.maximum, unit=problem.unit),
        keywords=[[list(map(piece, spelling)) for spelling in spellings] for spellings in forms],
        moves=weights,
        sampler=sampler,
        drafts=sampler.drafts_per_chain,
        context=context,
        context_tokens=checked_context(engine, context, problem.max_tokens),
        expected_seconds=seconds,
        expected_lm_tokens=round(LM_TOKENS_PER_STEP[sampler.delayed] * sampler.chains * sampler.steps),
    )
