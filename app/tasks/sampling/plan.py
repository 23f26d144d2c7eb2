"""What a request would do, without doing it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from app.engine.engine import Engine
from app.engine.session import fits, read_context
from app.languages.base import Unit
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.kinds.union import Sampler
from app.tasks.sampling.moves import mix
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.starts import sequential
from samplers.first_states import KeywordBlocks

LM_TOKENS_PER_STAGE = 6
"""LM tokens of a particle for each keyword that it places, and for its end, roughly."""
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
    constraints: list[str] = Field(description="constraints that an option asks for")
    moves: dict[str, float] = Field(description="probability of each move that applies")
    sampler: Sampler = Field(description="the sampler's options, defaults filled in")
    drafts: int = Field(
        description="first states that each chain would draw to start from the best; 0 where a population gives them"
    )
    contexts: list[str] = Field(
        description="the texts that scores would be conditioned on, those of the pool as the seed deals them"
    )
    context_tokens: int = Field(description="of all contexts together, that of the proposals included")
    expected_seconds: float = Field(description="rough: of the default model on two cores, waiting excluded")
    expected_lm_tokens: int = Field(description="rough, without the context's")


def plan_of(
    problem: SamplingProblem, sampler: Sampler, seed: int | None, engine: Engine, seconds: float
) -> SamplingPlan:
    """The plan for a problem.

    Args:
        problem: of the request.
        sampler: its options.
        seed: by which contexts are dealt; None for one to be drawn.
        engine: whose tokenizer and limits hold.
        seconds: that it is expected to take.

    Raises:
        ProblemError: 422, no move that applies has a weight, or the context is too long.
    """
    weights: dict[str, float] = {}
    chains, drafts, scores = 1, 0, sampler.expected_scores
    if isinstance(sampler, SamplerOptions):
        drafts, scores = sampler.drafts_per_chain, sampler.chains * sampler.steps
        chains = sampler.chains // sampler.sharing
        _, weights = mix(sampler.moves, problem.moves)
    room = problem.max_tokens
    contexts = list(dict.fromkeys(problem.contexts.dealt(seed or 0, chains, lambda text: fits(engine, text, room))))
    tokens = [
        len(read_context(engine, each.text if each.tokens is None else each.tokens, room))
        for each in (*contexts, *([problem.contexts.guide] if problem.contexts.guide else []))
    ]
    expected = LM_TOKENS_PER_STEP[getattr(sampler, "delayed", False)] * scores
    forms = problem.source.forms if isinstance(problem.source, KeywordBlocks) else []
    if isinstance(sampler, SamplerOptions):
        expected += LM_TOKENS_PER_STAGE * sampler.grown * (len(forms) + 1)
    if isinstance(sampler, SamplerOptions) and (start := sequential(problem, sampler)) is not None:
        drafts = 0
        expected += LM_TOKENS_PER_STAGE * start.particles * start.last_step
    piece, length = problem.vocabulary.piece, problem.length
    return SamplingPlan(
        language=problem.language.code,
        vocabulary=problem.vocabulary.name,
        length=LengthPlan(min=length.minimum, max=length.maximum, unit=problem.unit),
        keywords=[[list(map(piece, spelling)) for spelling in spellings] for spellings in forms],
        constraints=list(problem.options),
        moves=weights,
        sampler=sampler,
        drafts=drafts,
        contexts=[each.text for each in contexts],
        context_tokens=sum(tokens),
        expected_seconds=seconds,
        expected_lm_tokens=round(expected),
    )
