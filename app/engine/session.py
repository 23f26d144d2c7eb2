"""A request's session with the language model: its context is checked and read."""

from __future__ import annotations

from app.engine.engine import Engine
from app.engine.reports import Scorer
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import ContextLengthError, Session

REMEDY = "give a shorter context"


def scorer_report(model: LoadedModel) -> Scorer:
    """The model's report for an answer."""
    return Scorer(name=model.name, fingerprint=model.fingerprint, precision=model.precision, device=model.device)


def fits(engine: Engine, context: str, room: int) -> bool:
    """Whether a context leaves ``room`` tokens for a sentence."""
    return len(engine.model.tokenizer.encode(context)) <= _most_context(engine, room)


def _most_context(engine: Engine, room: int) -> int:
    return min(engine.limits.max_context_tokens, engine.model.max_context - room - 1)


async def open_session(engine: Engine, vocabulary: str, context: str, room: int) -> Session:
    """Read a context that leaves ``room`` tokens for a sentence, under the mask named ``vocabulary``.

    Raises:
        ProblemError: 422 if the context is too long.
    """
    checked_context(engine, context, room)
    try:
        return await Session.open(engine.model, vocabulary, context, engine.batcher, scores=engine.scores)
    except ContextLengthError as error:
        raise invalid("context", Code.TOO_LONG, str(error), REMEDY) from error


def checked_context(engine: Engine, context: str, room: int) -> int:
    """Tokens of a context.

    Raises:
        ProblemError: 422 if it leaves less than ``room`` tokens for a sentence.
    """
    tokens = len(engine.model.tokenizer.encode(context)) if context else 0
    if tokens and tokens > _most_context(engine, room):
        message = f"it has {tokens} tokens, above the limit of {max(_most_context(engine, room), 0)}"
        raise invalid("context", Code.TOO_LONG, message, REMEDY)
    return tokens
