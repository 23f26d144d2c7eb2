"""Single edits of texts with what is known of each, read by a language model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from app.tasks.corrections.edit_odds import features_of
from app.tasks.corrections.edits import Edit
from app.tasks.corrections.gains import gains
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.proposals import Proposal, Propose, Proposing, places_of
from models.language.scoring.session import Session
from models.language.vocabulary import Vocabulary
from models.odds import Features

LIKELIEST = 60
"""Tokens that are looked at, at each place."""
AT_ONCE = 8
"""Texts that are read side by side."""

Found = Sequence[tuple[Edit, Features]]


@dataclass(frozen=True, eq=False)
class SingleEdits:
    """Reads single edits of texts.

    Attributes:
        session: with the model under the texts' context; the work is counted in it.
        vocabulary: its mask.
        propose: the edits of a text; of the language.
        kinds: of errors that are looked for; if there are none, nothing is read.
        kept: what of a text stays as it is: from where to where.
    """

    session: Session
    vocabulary: Vocabulary
    propose: Propose
    kinds: frozenset[Kind]
    kept: Callable[[str], Sequence[tuple[int, int]]]

    @asynccontextmanager
    async def read(self, texts: Sequence[str]) -> AsyncIterator[Callable[[int], Awaitable[Found]]]:
        """Read the edits of texts side by side; gives those of each by its number. Leaving it ends the reading."""
        if not self.kinds:
            yield _nothing
            return
        session = replace(self.session, scores=None, remember=0)  # no other text asks for the same
        turn = asyncio.Semaphore(AT_ONCE)

        async def of(text: str) -> Found:
            async with turn:
                return await self.found(session, text)

        tasks = [asyncio.create_task(of(text)) for text in texts]
        try:
            yield lambda number: tasks[number]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def found(self, session: Session, text: str) -> Found:
        """The edits of a text.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        vocabulary = self.vocabulary
        tokens = vocabulary.spell(text)
        (scored,) = await session.score([tokens], [None])
        (ranking,) = await session.rank([scored], LIKELIEST)
        log_probs = scored.log_probs.tolist()
        rows = list(zip(ranking.top.tolist(), ranking.log_probs.tolist(), strict=True))

        def propose() -> Sequence[Proposal]:
            places = places_of(tokens, log_probs, (zip(*row, strict=True) for row in rows), vocabulary)
            return list(self.propose(Proposing(text, places, self.kept(text))))

        proposals = await asyncio.to_thread(propose)
        gained = await gains(session, vocabulary, text, scored, [each.edit for each in proposals])
        known = [(proposal, gain) for proposal, gain in zip(proposals, gained, strict=True) if gain is not None]
        features = await asyncio.to_thread(lambda: list(features_of(text, sum(log_probs), len(tokens), known)))
        # How sure one is hangs on the others, whatever their kinds, so only now those not asked for are left out.
        return [(proposal.edit, its) for proposal, its in features if proposal.edit.kind in self.kinds]


async def _nothing(number: int) -> Found:
    return ()
