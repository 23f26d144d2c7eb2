"""Fields of requests as keyword arguments; what each means is told in the schemas of the same names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from app.tasks.keywords.schemas import Length
from app.tasks.sampling.kernels import Annealing, Metropolis


class SentencesOptions(TypedDict, total=False):
    """Fields of :class:`app.tasks.keywords.schemas.SentencesRequest`."""

    ordered: bool
    language: str
    context: str
    length: Length | Mapping[str, Any]
    forbidden: Sequence[str]
    allow_repeats: bool
    sampler: Annealing | Metropolis | Mapping[str, Any]
    samples: int
    select: Literal["best", "last"]
    seed: int
    seconds: float


class ScoreOptions(TypedDict, total=False):
    """Fields of :class:`app.tasks.score.schemas.ScoreRequest`."""

    context: str
    language: str


class SearchOptions(TypedDict, total=False):
    """Fields of :class:`app.tasks.search.schemas.SearchRequest`."""

    n: int
    mode: Literal["beam", "exact"]
    beams: int
    score: Literal["renormalised", "raw"]
    with_raw: bool
    length_penalty: float
    look_ahead: bool | float
    rerank: bool
    abstain: bool


class JobOptions(TypedDict, total=False):
    """Fields of :class:`app.jobs.schemas.JobRequest`."""

    on_invalid: Literal["refuse", "skip"]
    priority: Literal["interactive", "bulk"]
    expires_after: float
