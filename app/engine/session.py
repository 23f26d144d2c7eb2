"""A request's session with the language model: its context is checked and read."""

from __future__ import annotations

from collections.abc import Sequence

from app.engine.engine import Engine
from app.engine.reports import Scorer
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import MAX_EDITED_SENTENCES, ContextLengthError, Session

REMEMBERED = 512
"""Sentences that a request remembers with their hidden states."""

REMEDY = "give a shorter context"


def scorer_report(model: LoadedModel) -> Scorer:
    """The model's report for an answer."""
    return Scorer(name=model.name, fingerprint=model.fingerprint, precision=model.precision, device=model.device)


def fits(engine: Engine, context: str, room: int) -> bool:
    """Whether a context leaves ``room`` tokens for a sentence."""
    return len(engine.model.tokenizer.encode(context)) <= _most_context(engine, room)


def _most_context(engine: Engine, room: int) -> int:
    return min(engine.limits.max_context_tokens, engine.model.max_context - room - 1)


async def open_session(
    engine: Engine,
    vocabulary: str,
    context: str | tuple[int, ...],
    room: int,
    *,
    sharers: int = 1,
    model: LoadedModel | None = None,
) -> Session:
    """Read a context that leaves ``room`` tokens for a sentence, under the mask named ``vocabulary``.

    Args:
        engine: the engine.
        vocabulary: name of the mask.
        context: text, or tokens without the begin token.
        room: tokens for a sentence.
        sharers: sessions of the request, which share the memory that one would take.
        model: which reads; the engine's if left out.

    Raises:
        ProblemError: 422 if the context is too long.
    """
    read = read_context(engine, context, room)
    try:
        return await Session.open(
            model or engine.model,
            vocabulary,
            read,
            engine.batcher,
            scores=engine.scores,
            remember=-(-REMEMBERED // sharers),
            edited=-(-MAX_EDITED_SENTENCES // sharers),
        )
    except ContextLengthError as error:
        raise invalid("context", Code.TOO_LONG, str(error), REMEDY) from error


def read_context(engine: Engine, context: str | Sequence[int], room: int) -> list[int]:
    """Tokens of a context, without the model's begin token.

    Raises:
        ProblemError: 422 if it leaves less than ``room`` tokens for a sentence.
    """
    model = engine.model
    if isinstance(context, str):
        read = list(model.tokenizer.encode(context))
    else:  # a template may begin with it
        read = list(context[1:] if context[:1] == (model.begin,) else context)
    if read and len(read) > _most_context(engine, room):
        message = f"it has {len(read)} tokens, above the limit of {max(_most_context(engine, room), 0)}"
        raise invalid("context", Code.TOO_LONG, message, REMEDY)
    return read
