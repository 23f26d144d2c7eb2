"""Scores texts as the sampler would score them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from app.engine.engine import Engine
from app.engine.reports import UsageReport
from app.engine.session import fits, open_session, scorer_report
from app.languages.base import Language
from app.languages.choice import Named, choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.limits import Bound, above
from app.tasks.score.schemas import ScoreAnswer, ScoreRequest, ScoringModel, TextScore
from app.web.problems import Fault, ProblemError, refuse
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary

BATCH_TOKENS = 2048
"""Most tokens of texts in one call of the model, padding counted."""


@dataclass(frozen=True, slots=True)
class SpelledText:
    """A text ready to be scored.

    Attributes:
        text: in its normal form.
        language: what it is written in.
        vocabulary: the mask that spells it.
        tokens: token ids.
    """

    text: str
    language: Language
    vocabulary: Vocabulary
    tokens: tuple[int, ...]


async def score(request: ScoreRequest, engine: Engine) -> ScoreAnswer:
    """Score the texts of a request, each as if it were sent alone.

    Raises:
        ProblemError: 422 for texts that cannot be scored, 429 if too many requests wait.
    """
    texts = await asyncio.to_thread(spell, request, engine.model, engine.limits)

    @cache
    def context(language: Language, room: int) -> str:
        return language.context(request.context, lambda opening: fits(engine, opening, room))

    together: dict[tuple[str, str], list[int]] = {}
    for place, text in enumerate(texts):
        key = (text.vocabulary.name, context(text.language, len(text.tokens)))
        together.setdefault(key, []).append(place)
    usage = UsageReport(lm_calls=0, lm_tokens=0, recalled=0)
    scores: dict[int, TextScore] = {}
    async with engine.admission.take():
        for (name, before), places in together.items():
            session = await open_session(engine, name, before, max(len(texts[place].tokens) for place in places))
            session.remember = 0
            for batch in batches(places, lambda place: len(texts[place].tokens)):
                scored = await session.score([texts[place].tokens for place in batch], [None] * len(batch))
                for place, one in zip(batch, scored, strict=True):
                    scores[place] = _report(texts[place], before, [float(p) for p in one.log_probs])
            usage.lm_calls += session.usage.lm_calls
            usage.lm_tokens += session.usage.lm_tokens
            usage.recalled += session.recalled
    names, contexts = {name for name, _ in together}, {context for _, context in together}
    vocabulary = names.pop() if len(names) == 1 else None
    return ScoreAnswer(
        scores=[scores[place] for place in range(len(texts))],
        vocabulary=vocabulary,
        usage=usage,
        model=ScoringModel(
            **dict(scorer_report(engine.model)),
            vocabulary=vocabulary,
            context=contexts.pop() if len(contexts) == 1 else None,
        ),
    )


def _report(text: SpelledText, context: str, log_probs: list[float]) -> TextScore:
    return TextScore(
        text=text.text,
        language=text.language.code,
        vocabulary=text.vocabulary.name,
        context=context,
        tokens=[text.vocabulary.piece(token) for token in text.tokens],
        log_probs=log_probs,
        log_prob=sum(log_probs),
        log_prob_per_token=sum(log_probs) / len(log_probs),
    )


def batches(places: Sequence[int], length: Callable[[int], int]) -> Iterator[list[int]]:
    """Consecutive runs of texts whose count times their longest stays within :data:`BATCH_TOKENS`."""
    batch: list[int] = []
    longest = 0
    for place in places:
        longest = max(longest, length(place))
        if batch and (len(batch) + 1) * longest > BATCH_TOKENS:
            yield batch
            batch, longest = [], length(place)
        batch.append(place)
    if batch:
        yield batch


def spell(request: ScoreRequest, model: LoadedModel, limits: Limits) -> list[SpelledText]:
    """Check a request and spell its texts; may build a vocabulary, so keep it off the event loop.

    Raises:
        ProblemError: 422.
    """
    texts = [Named(f"texts[{place}]", text) for place, text in enumerate(request.texts)]
    refuse(list(above([Bound("texts", texts, limits.max_texts, "texts in one request")])))
    bounds = [Bound(named.field, named.text, limits.max_text_characters) for named in texts]
    refuse(list(above([*bounds, Bound("context", request.context, limits.max_context_characters)])))
    faults: list[Fault] = []
    spelled: list[SpelledText] = []
    for named in texts:
        language = choose_language(request.language, [named.text])
        try:
            vocabulary = choose_vocabulary(language, [named], model.vocabulary, Vocabulary.sentence)
        except ProblemError as error:
            faults += error.faults
        else:
            spelled.append(SpelledText(named.text, language, vocabulary, vocabulary.sentence(named.text)))
    refuse(faults)
    return spelled
