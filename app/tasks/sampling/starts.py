"""First states of chains from sequential Monte Carlo."""

from __future__ import annotations

from app.tasks.sampling.kernels import START_PARTICLES, START_WAYS, SamplerOptions
from app.tasks.sampling.problem import SamplingProblem
from samplers.first_states import KeywordBlocks
from samplers.smc import SequentialMonteCarlo

MOST_BLOCKS = 8
"""Most keywords: of ten no particle came through, after three times the time of drafts."""
MOST_WAYS = 2400
"""Most particles times forms of all keywords: about eight times as many beginnings are scored together."""
FEWEST = 8
"""Fewest particles that are worth their time."""
PARTICLE_STREAM = 2**64
"""Added to the seed, so that particles draw other numbers than chains do."""


def sequential(problem: SamplingProblem, sampler: SamplerOptions) -> SequentialMonteCarlo | None:
    """The sampler of first states, or None where drafts are asked for or serve better.

    A text is a first state itself; what is laid out for an acrostic, a pattern or a word list only drafts know of; and
    where keywords are many, or have many forms, particles have too many ways to read them all, and few come through.
    """
    source = problem.source
    if sampler.start != "smc" or not isinstance(source, KeywordBlocks) or source.is_laid_out:
        return None
    forms = sum(map(len, source.forms))
    particles = sampler.particles or min(START_PARTICLES, START_WAYS // max(1, forms))
    few = sampler.particles is None and particles < FEWEST
    if few or len(source.forms) > MOST_BLOCKS or particles * forms > MOST_WAYS:
        return None
    return SequentialMonteCarlo(problem.target, source, problem.max_tokens, particles, beta=problem.start_beta)
