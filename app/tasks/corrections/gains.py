"""Gains: what single edits of a text change of its log-prob under a language model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.tasks.corrections.edits import Edit, applied
from models.language.scoring.session import Known, Session
from models.language.vocabulary import SpellingError, Vocabulary

HORIZON = 12
"""Characters behind an edit that count."""
GLANCE, HOPELESS = 3, -4.0
"""Characters behind an edit up to which all are read, and the gain there, in nats, below which one is not read on."""
NEXT, NEAR = 1, 4
"""Tokens behind an edit: the one that follows, and those that end what is near it."""
AT_ONCE = 64
"""Windows that are scored together."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gain:
    """What an edit changes, in nats of log-prob of the text up to some characters behind it.

    Attributes:
        old: log-prob of the tokens that it takes away.
        new: of those that it puts in their place.
        next: gain of the first token behind it that stays.
        near: of the three that follow.
        rest: of those after them.
        tokens: how many tokens more there are.
    """

    old: float
    new: float
    next: float
    near: float
    rest: float
    tokens: int

    @property
    def whole(self) -> float:
        """All of it."""
        return self.new - self.old + self.next + self.near + self.rest


async def gains(
    session: Session, vocabulary: Vocabulary, text: str, scored: Known, edits: Sequence[Edit]
) -> list[Gain | None]:
    """The gain of each edit; None where it is hopeless, the vocabulary cannot write it, or nothing would be left.

    That the hopeless are not read on is an approximation (benchmarks/README.md).

    Args:
        session: with the model under the context.
        vocabulary: its mask.
        text: the text.
        scored: the text's tokens, scored; what edits leave as it is before them is not read again.
        edits: single edits.
    """

    async def read(some: Sequence[Edit], horizon: int) -> list[Gain | None]:
        windows = await asyncio.to_thread(lambda: [_window(text, edit, horizon, vocabulary) for edit in some])
        wanted = list(dict.fromkeys(tokens for window in windows if window for tokens in window))
        log_probs: dict[Tokens, npt.NDArray[np.float64]] = {}
        for start in range(0, len(wanted), AT_ONCE):
            together = wanted[start : start + AT_ONCE]
            for tokens, each in zip(together, await session.score(together, [scored] * len(together)), strict=True):
                log_probs[tokens] = each.log_probs
        return [window and _gain(*window, *(log_probs[tokens] for tokens in window)) for window in windows]

    glances = await read(edits, GLANCE)
    promising = [number for number, gain in enumerate(glances) if gain is not None and gain.whole > HOPELESS]
    found = dict(zip(promising, await read([edits[number] for number in promising], HORIZON), strict=True))
    return [found.get(number) for number in range(len(edits))]


def _window(text: str, edit: Edit, horizon: int, vocabulary: Vocabulary) -> tuple[Tokens, Tokens] | None:
    """Tokens of a text up to some characters behind an edit, without it and with it."""
    given = text[: edit.end + horizon]
    written = applied([(edit.start, edit.end, edit.new)], given)
    try:
        return (vocabulary.spell(given), vocabulary.spell(written)) if written else None
    except SpellingError:
        return None


def _gain(old: Tokens, new: Tokens, of_old: npt.NDArray[np.float64], of_new: npt.NDArray[np.float64]) -> Gain:
    first = _alike(zip(old, new, strict=False))
    behind = _alike(zip(reversed(old[first:]), reversed(new[first:]), strict=False))
    until_old, until_new = len(old) - behind, len(new) - behind
    more = of_new[until_new:] - of_old[until_old:]
    return Gain(
        old=float(of_old[first:until_old].sum()),
        new=float(of_new[first:until_new].sum()),
        next=float(more[:NEXT].sum()),
        near=float(more[NEXT:NEAR].sum()),
        rest=float(more[NEAR:].sum()),
        tokens=len(new) - len(old),
    )


def _alike(pairs: Iterator[tuple[int, int]]) -> int:
    """How many pairs are of equal tokens before the first that is not."""
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count
