"""Scores texts as the sampler would score them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from app.codes import Code
from app.engine import Engine
from app.problems import Fault, ProblemError
from app.score.schemas import ScoreAnswer, ScoreRequest, TextScore
from app.sentences.language import Language, Named, choose_language, choose_vocabulary
from app.sentences.openings import context_of
from app.sentences.schemas import UsageReport
from app.sentences.service import fits, model_report, open_session
from app.settings import Limits
from models.language.loading import LoadedModel
from models.language.vocabulary import Vocabulary

BATCH_TOKENS = 2048
"""Most tokens of texts in one call of the model, padding counted."""

Spelled = list[tuple[int, ...]]


async def score(request: ScoreRequest, engine: Engine) -> ScoreAnswer:
    """Score the texts of a request.

    Raises:
        ProblemError: 422 for texts that cannot be scored, 429 if too many requests wait.
    """
    language, vocabulary, spelled = await asyncio.to_thread(spell, request, engine.model, engine.limits)
    longest = max(map(len, spelled))
    context = context_of(request.context, language, lambda text: fits(engine, text, longest))
    async with engine.turns.take():
        session = await open_session(engine, vocabulary.name, context, longest)
        session.remember = 0
        scores: list[TextScore] = []
        for batch in batches(spelled):
            for scored in await session.score(batch, [None] * len(batch)):
                log_probs = [float(p) for p in scored.log_probs]
                scores.append(
                    TextScore(
                        text=request.texts[len(scores)],
                        tokens=[vocabulary.pieces[token] or "" for token in scored.tokens],
                        log_probs=log_probs,
                        log_prob=sum(log_probs),
                        log_prob_per_token=sum(log_probs) / len(log_probs),
                    )
                )
    return ScoreAnswer(
        scores=scores,
        vocabulary=vocabulary.name,
        usage=UsageReport(
            lm_calls=session.usage.lm_calls, lm_tokens=session.usage.lm_tokens, recalled=session.recalled
        ),
        model=model_report(engine.model, vocabulary.name, context),
    )


def batches(sentences: Sequence[tuple[int, ...]]) -> Iterator[Spelled]:
    """Consecutive runs of sentences whose count times their longest stays within :data:`BATCH_TOKENS`."""
    batch: Spelled = []
    longest = 0
    for sentence in sentences:
        longest = max(longest, len(sentence))
        if batch and (len(batch) + 1) * longest > BATCH_TOKENS:
            yield batch
            batch, longest = [], len(sentence)
        batch.append(sentence)
    if batch:
        yield batch


def spell(request: ScoreRequest, model: LoadedModel, limits: Limits) -> tuple[Language, Vocabulary, Spelled]:
    """Check a request and spell its texts; may build a vocabulary, so keep it off the event loop.

    Raises:
        ProblemError: 422.
    """
    if len(request.texts) > limits.max_texts:
        fault = Fault(
            field="texts",
            code=Code.TOO_MANY,
            message=f"{len(request.texts)} texts are above the limit of {limits.max_texts}",
            remedy=f"give at most {limits.max_texts} texts in one request",
        )
        raise ProblemError(422, [fault])
    bounds = [(f"texts[{i}]", text, limits.max_text_characters) for i, text in enumerate(request.texts)]
    faults = [
        Fault(
            field=name,
            code=Code.TOO_LONG,
            message=f"{len(text)} characters are above the limit of {most}",
            remedy=f"give at most {most} characters",
        )
        for name, text, most in [*bounds, ("context", request.context or "", limits.max_context_characters)]
        if len(text) > most
    ]
    if faults:
        raise ProblemError(422, faults[:20])
    named = [Named(name, text) for name, text, _ in bounds]
    language = choose_language(request.language, named)
    vocabulary = choose_vocabulary(language, named, model.vocabulary, Vocabulary.sentence)
    return language, vocabulary, [vocabulary.sentence(text) for text in request.texts]
