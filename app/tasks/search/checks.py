"""Refuses searches that no index or model could answer."""

from __future__ import annotations

from collections.abc import Iterator

from app.settings.settings import Limits
from app.tasks.limits import Bound, OneOrMany, above, narrow
from app.tasks.search.schemas import SearchRequest
from app.web.codes import Code
from app.web.problems import Fault, refuse
from models.retrieval.loading import LoadedKeyModel

ASKED = OneOrMany("query", "queries")


def check(request: SearchRequest, limits: Limits) -> None:
    """Refuse what neither index nor model could mend.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    refuse(list(_faults(request, limits)))


def check_tokens(request: SearchRequest, model: LoadedKeyModel) -> None:
    """Refuse questions that are too long for the model.

    Raises:
        ProblemError: 422.
    """
    most = model.tokenizer.longest
    codec = model.tokenizer.codec
    lengths = [len(codec.question(text)) for text in request.questions]
    refuse(
        [
            Fault(
                field=ASKED.field(request, i),
                code=Code.TOO_LONG,
                message=f"it has {length} tokens, and the model reads at most {most}",
                remedy="shorten it",
            )
            for i, length in enumerate(lengths)
            if length > most
        ]
    )


def _faults(request: SearchRequest, limits: Limits) -> Iterator[Fault]:
    yield from ASKED.faults(request)
    yield from above(
        [
            Bound("n", request.n, limits.max_results),
            Bound("beams", request.beams or max(request.n, 3), limits.max_beams),
            Bound("queries", request.questions, limits.max_queries, "queries"),
            *ASKED.bounds(request, request.questions[: limits.max_queries], limits.max_query_characters),
        ]
    )
    yield from narrow(request.mode, request.beams, request.n, "keys")
    if request.mode == "exact":
        for name, weight in (("length_penalty", request.length_penalty), ("look_ahead", request.look_ahead_weight)):
            if weight:
                yield Fault(
                    field=name,
                    code=Code.CONTRADICTORY,
                    message=f"{name} leaves nothing to be proven in exact mode",
                    remedy=f"leave {name} out, or set mode to beam",
                )
