"""Checks of the options that all requests share that sample."""

from __future__ import annotations

from collections.abc import Iterator

from app.settings.settings import Limits
from app.tasks.limits import too_large, too_long
from app.tasks.sampling.schemas import SamplingRequest
from app.web.problems import Fault


def limit_faults(request: SamplingRequest, limits: Limits) -> Iterator[Fault]:
    """Options above their limits."""
    sampler = request.sampler
    yield from too_large(
        [
            ("sampler.chains", sampler.chains, limits.max_chains),
            ("sampler.steps", sampler.steps, limits.max_steps),
            ("samples", request.samples, limits.max_samples),
        ]
    )
    yield from too_long([("context", request.context or "")], limits.max_context_characters)
