"""Scores texts as the sampler would score them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from app.engine.engine import Engine
from app.engine.reports import UsageReport
from app.engine.session import fits, open_session, scorer_report
from app.languages.base import Language
from app.languages.choice import Named, choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.batches import batches
from app.tasks.limits import Bound, above
from app.tasks.score.schemas import LikelyToken, ScoreAnswer, ScoreRequest, ScoringModel, TextScore
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, invalid, refuse
from models.language.scoring.model import LoadedModel
from models.language.scoring.rankings import Ranking
from models.language.scoring.session import Known
from models.language.vocabulary import Vocabulary


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
                spelled = [texts[place] for place in batch]
                scored = await session.score([text.tokens for text in spelled], [None] * len(batch))
                rankings = await session.rank(scored, request.top) if request.top else [None] * len(batch)
                # In a thread: tens of thousands of tokens may be listed.
                reports = await asyncio.to_thread(_reports, before, spelled, scored, rankings)
                scores.update(zip(batch, reports, strict=True))
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


def _reports(
    context: str, texts: Sequence[SpelledText], scored: Sequence[Known], rankings: Sequence[Ranking | None]
) -> list[TextScore]:
    return [_report(context, *each) for each in zip(texts, scored, rankings, strict=True)]


def _report(context: str, text: SpelledText, scored: Known, ranking: Ranking | None) -> TextScore:
    log_probs = scored.log_probs.tolist()
    report = TextScore(
        text=text.text,
        language=text.language.code,
        vocabulary=text.vocabulary.name,
        context=context,
        tokens=[text.vocabulary.piece(token) for token in text.tokens],
        log_probs=log_probs,
        log_prob=sum(log_probs),
        log_prob_per_token=sum(log_probs) / len(log_probs),
    )
    if ranking is not None:
        report.ranks, report.entropies = ranking.ranks.tolist(), ranking.entropies.tolist()
        report.top = [
            [
                LikelyToken(token=text.vocabulary.piece(token), log_prob=log_prob)
                for token, log_prob in zip(*likeliest, strict=True)
            ]
            for likeliest in zip(ranking.top.tolist(), ranking.log_probs.tolist(), strict=True)
        ]
    return report


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
    listed = request.top * sum(len(text.tokens) for text in spelled)
    if listed > limits.max_likely_tokens:
        message = f"{listed} tokens to list are above the limit of {limits.max_likely_tokens} in one answer"
        raise invalid("top", Code.TOO_LARGE, message, "ask for fewer at each place, or send fewer texts")
    return spelled
