"""Checks of the options that all requests share that sample."""

from __future__ import annotations

from collections.abc import Iterator

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.contexts import Made, TextContext
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.moves import Moves
from app.tasks.sampling.schemas import SamplingRequest
from app.tasks.sampling.trace import MAX_TRACED_STEPS
from app.web.codes import Code
from app.web.problems import Fault


def checked_options(request: SamplingRequest, limits: Limits) -> tuple[list[Bound], list[Fault]]:
    """The bounds of a request's options, and what is wrong with them within the bounds."""
    sampler = request.sampler
    bounds = [
        *sampler.bounds(limits),
        Bound("samples", request.samples, limits.max_samples),
        Bound(*_given(request.context), limits.max_context_characters),
    ]
    faults: list[Fault] = []
    if isinstance(sampler, SamplerOptions):
        faults += [*_move_faults(sampler.moves), *sampler.faults()]
        if request.trace == "edits" and sampler.chains * sampler.steps > MAX_TRACED_STEPS:
            taken = f"{sampler.chains} chains of {sampler.steps} steps are above the limit of {MAX_TRACED_STEPS}"
            remedy = 'give "summary", or ask for fewer steps'
            faults.append(Fault(field="trace", code=Code.TOO_LARGE, message=f"{taken} traced steps", remedy=remedy))
    elif request.trace != "none":
        message = f"{sampler.kind} draws without chains, and there are no steps to trace"
        faults.append(Fault(field="trace", code=Code.CONTRADICTORY, message=message, remedy="leave it out"))
    return bounds, faults


def _given(context: str | Made | None) -> tuple[str, str | None]:
    """The field that gives a text for a context, and the text."""
    if isinstance(context, TextContext):
        return "context.text", context.text
    return "context", context if isinstance(context, str) else None


def _move_faults(moves: Moves) -> Iterator[Fault]:
    if (moves.insert > 0) != (moves.delete > 0):
        zero, other = ("insert", "delete") if moves.insert == 0 else ("delete", "insert")
        yield Fault(
            field=f"sampler.moves.{zero}",
            code=Code.CONTRADICTORY,
            message=f"{zero} has no weight but {other} has: each is the other's reverse",
            remedy="give both a weight above 0, or both 0",
        )
    if not any(weight > 0 for weight in dict(moves).values()):
        yield Fault(
            field="sampler.moves",
            code=Code.CONTRADICTORY,
            message="every weight is 0",
            remedy="give at least one move a weight above 0",
        )
