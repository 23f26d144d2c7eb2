"""Contexts of corrections: of a few, each text goes on from the one under which it is likeliest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.engine.engine import Engine
from app.engine.reports import UsageReport
from app.engine.session import open_session
from models.language.vocabulary import Vocabulary

BEGINNING = 16
"""Characters of a text by which its context is chosen."""
AT_ONCE = 64
"""Beginnings read at a time."""


async def likeliest(
    engine: Engine, vocabulary: Vocabulary, texts: Sequence[str], contexts: Sequence[str], usage: UsageReport
) -> list[int]:
    """For each text the number of the context after which its beginning is likeliest; the first of equals."""
    if len(contexts) == 1:
        return [0] * len(texts)
    beginnings = [vocabulary.spell(text[:BEGINNING]) for text in texts]
    found = np.empty((len(contexts), len(texts)))
    for row, context in zip(found, contexts, strict=True):
        session = await open_session(engine, vocabulary.name, context, BEGINNING * 4)
        session.remember = 0
        with session.sampling():
            for start in range(0, len(texts), AT_ONCE):
                some = beginnings[start : start + AT_ONCE]
                row[start : start + len(some)] = [
                    scored.log_probs.sum() for scored in await session.score(some, [None] * len(some))
                ]
        usage.lm_calls += session.usage.lm_calls
        usage.lm_tokens += session.usage.lm_tokens
        usage.recalled += session.recalled
    return [int(best) for best in found.argmax(0)]
