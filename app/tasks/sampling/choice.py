"""The order of the sentences found: naturalness, opinions of other contexts, and minimum Bayes risk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.engine.engine import Engine
from app.engine.session import fits, open_session
from app.languages.base import Language
from app.tasks.sampling.contexts import ReadContext
from app.tasks.sampling.naturalness import features_of
from app.tasks.sampling.objective import SEARCHED
from models.language.scoring.kv_cache import Usage
from models.language.vocabulary import Vocabulary
from samplers.bayes_risk import expected_bleu
from samplers.bleu import NGrams
from samplers.trace import Visit, rank

RankBy = Literal["log_density", "log_prob_per_token", "naturalness", "consensus", "acceptability", "minimum_bayes_risk"]
"""What sentences are ranked by."""

FINALISTS = 16
"""Distinct sentences that get a second opinion, those of the greatest density; the rest follow in that order."""
NATURAL = 64
"""Distinct sentences whose naturalness is told, as :data:`FINALISTS`."""
OPINIONS = 2
"""Contexts of the pool under which each finalist is scored; one that made it is left out."""


HEAVIEST = 64
"""Distinct sentences by which a Bayes risk is estimated."""
TOO_LIGHT = 12.0
"""Nats below the heaviest sentence from which on none is of minimum Bayes risk."""


class Opinion(NamedTuple):
    """What contexts that did not make a sentence say of it, in nats.

    Attributes:
        consensus: mean log-prob a token under them.
        acceptability: what annealing would search for under them, :data:`~app.tasks.sampling.objective.SEARCHED`, by
            the mean of their log-probs of each token.
    """

    consensus: float
    acceptability: float


async def second_opinions(
    visits: Sequence[Visit],
    made_by: Sequence[ReadContext],
    engine: Engine,
    vocabulary: Vocabulary,
    language: Language,
    room: int,
    usage: Usage,
) -> list[Opinion]:
    """The opinion on each of some visits.

    Args:
        visits: the finalists.
        made_by: the context of each chain, or the one of all.
        engine: the engine.
        vocabulary: the mask.
        language: whose pool the contexts are of.
        room: tokens for a sentence.
        usage: where the work is booked.
    """
    used = {context.text for context in made_by}
    pool = [text for text in language.pool or [language.opening] if fits(engine, text, room)] or [""]
    # Those that made nothing first; where chains are so many that there are too few of them, one more than needed.
    judges = sorted(pool, key=lambda text: text in used)[: OPINIONS + 1]
    if not used.intersection(judges[:OPINIONS]):
        judges = judges[:OPINIONS]
    sessions = await asyncio.gather(
        *(open_session(engine, vocabulary.name, text, room, sharers=FINALISTS) for text in judges)
    )
    for session in sessions:
        session.usage = usage
    sentences = [visit.state.tokens for visit in visits]
    scored = await asyncio.gather(*(session.score(sentences, [None] * len(sentences)) for session in sessions))
    opinions = []
    for place, visit in enumerate(visits):
        others = [
            of_judge[place].log_probs
            for text, of_judge in zip(judges, scored, strict=True)
            if len(judges) == 1 or text != made_by[visit.chain % len(made_by)].text
        ]
        log_probs = np.mean(others[:OPINIONS], axis=0)
        opinions.append(Opinion(float(log_probs.mean()), SEARCHED.value(log_probs)))
    return opinions


async def naturalness(
    visits: Sequence[Visit], engine: Engine, vocabulary: Vocabulary, language: Language, room: int, usage: Usage
) -> list[float]:
    """The probability that a reader finds each of some visits natural, by the language's fitted odds.

    Args:
        visits: the sentences.
        engine: the engine.
        vocabulary: the mask.
        language: whose odds are asked.
        room: tokens for a sentence.
        usage: where the work is booked.
    """
    assert language.naturalness is not None, "requests are checked"
    sessions = [
        await open_session(engine, vocabulary.name, context, room, sharers=NATURAL)
        for context in (language.opening, "")
    ]
    for session in sessions:
        session.usage = usage
    sentences = [visit.state.tokens for visit in visits]
    after, alone = await asyncio.gather(*(session.score(sentences, [None] * len(sentences)) for session in sessions))
    return [
        language.naturalness.probability(
            features_of(vocabulary.decode(tokens), one.log_probs, other.log_probs, language)
        )
        for tokens, one, other in zip(sentences, after, alone, strict=True)
    ]


def finalists(
    visits: Sequence[Visit], vocabulary: Vocabulary, count: int, measure: Callable[[Visit], float] | None = None
) -> list[Visit]:
    """The best ``count`` visits of distinct texts, by a measure or by log-prob per token."""
    chosen: dict[str, Visit] = {}
    ranked = rank(visits)
    for visit in ranked if measure is None else sorted(ranked, key=measure, reverse=True):
        if len(chosen) == count:
            break
        chosen.setdefault(vocabulary.decode(visit.state.tokens), visit)
    return list(chosen.values())


def by_bayes_risk(
    drawn: Sequence[Visit],
    log_weights: Sequence[float],
    vocabulary: Vocabulary,
    language: Language,
    cost: Callable[[Visit], float] | None = None,
) -> list[tuple[Visit, float | None]]:
    """Distinct sentences drawn from a law, the one of minimum Bayes risk first, each with its utility.

    The utility is the mean BLEU against the heaviest, less the cost. These count alike: a law is often as good as all
    at one sentence, and the mean by weight that sentence's own. So that none is chosen that the law hardly has, those
    too light come last, by their weight and without a utility.

    Args:
        drawn: from the law; equal ones weigh together.
        log_weights: of each, in nats.
        vocabulary: by which they are written.
        language: whose units are counted.
        cost: what a sentence loses, on the scale of BLEU, from 0 to 1.
    """
    weights: dict[str, float] = {}
    first: dict[str, Visit] = {}
    for visit, log_weight in zip(drawn, log_weights, strict=True):
        text = vocabulary.decode(visit.state.tokens)
        weights[text] = float(np.logaddexp(weights.get(text, -np.inf), log_weight))
        first.setdefault(text, visit)
    ordered = sorted(weights, key=lambda text: -weights[text])
    light = [text for text in ordered if weights[text] < weights[ordered[0]] - TOO_LIGHT] + ordered[HEAVIEST:]
    counted = {text: NGrams.of([text[a:b].lower() for a, b in language.units(text)]) for text in ordered[:HEAVIEST]}
    chosen = [text for text in counted if text not in light]
    gains = expected_bleu([counted[text] for text in chosen], list(counted.values()))
    utilities = {
        first[text]: float(gain) - (cost(first[text]) if cost else 0.0)
        for text, gain in zip(chosen, gains, strict=True)
    }
    best = sorted(utilities.items(), key=lambda pair: -pair[1])
    return [*best, *((first[text], None) for text in dict.fromkeys(light))]
