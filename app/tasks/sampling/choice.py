"""A second opinion on the sentences found, from contexts that did not make them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.engine.engine import Engine
from app.engine.session import fits, open_session
from app.languages.base import Language
from app.tasks.sampling.contexts import ReadContext
from models.language.scoring.kv_cache import Usage
from models.language.scoring.session import Session
from models.language.scoring.unigram import log_frequencies
from models.language.vocabulary import Vocabulary
from samplers.trace import Visit, rank

RankBy = Literal["log_prob_per_token", "consensus", "acceptability"]
"""What sentences are ranked by."""

FINALISTS = 16
"""Distinct sentences that get a second opinion, those of the greatest density; the rest follow in that order."""
OPINIONS = 2
"""Contexts of the pool under which each finalist is scored; one that made it is left out."""
FREQUENCY_WEIGHT = 0.25
"""Share of the words' frequency that acceptability takes off: 0 is the consensus, 1 forgives every rare word (SLOR,
Lau et al. 2017). Models forgive rare words by themselves, the larger the more (MORCELA, Tjuatja et al. 2024), so it is
less than 1. A constant, not a fit: on 20 keyword sets read blind, shares from 0 to 0.5 chose alike, and 1 chose
worse."""


class Opinion(NamedTuple):
    """What contexts that did not make a sentence say of it, in nats a token.

    Attributes:
        consensus: mean log-prob under them.
        frequency: mean log-frequency of its tokens.
    """

    consensus: float
    frequency: float

    @property
    def acceptability(self) -> float:
        """consensus - :data:`FREQUENCY_WEIGHT` * frequency."""
        return self.consensus - FREQUENCY_WEIGHT * self.frequency


@dataclass(eq=False)
class Frequencies:
    """Log-frequencies of each vocabulary's tokens in each language, read from its pool at first use."""

    engine: Engine
    _tables: dict[tuple[str, str], npt.NDArray[np.float64]] = field(default_factory=dict)

    async def of(self, language: Language, session: Session) -> npt.NDArray[np.float64]:
        """By local id of the session's vocabulary, (V,), in nats."""
        key = (language.code, session.output.vocabulary.name)
        if key not in self._tables:
            model = session.model
            texts = [
                (model.begin, *model.tokenizer.encode(text))
                for text in language.pool or [language.opening]
                if fits(self.engine, text, 0)
            ]
            self._tables[key] = await session.batcher.call(
                lambda: log_frequencies(model.scorer, session.output, texts or [(model.begin,)])
            )
        return self._tables[key]


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
    frequencies = await Frequencies.of(engine.part(Frequencies), language, sessions[0])
    opinions = []
    for place, visit in enumerate(visits):
        others = [
            of_judge[place].log_probs.mean()
            for text, of_judge in zip(judges, scored, strict=True)
            if len(judges) == 1 or text != made_by[visit.chain % len(made_by)].text
        ]
        local = [vocabulary.local[token] for token in visit.state.tokens]
        opinions.append(Opinion(float(np.mean(others[:OPINIONS])), float(frequencies[local].mean())))
    return opinions


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
