"""Explanation of a found key: where it came from, what each of its tokens cost, and what ranked it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import Ranking
from models.retrieval.search.mentions import Mention
from models.retrieval.search.stem import Stem

Source = Literal["beam", "exact", "name", "misspelt"]
"""What made a key a candidate: the search of its mode, or else a mention of its subject."""

Order = Literal["model", "first", "second"]
"""What ranked a key last: the model's own score, the ranking, or the noisy channel, which ranks doubtful ones only."""


@dataclass(frozen=True, slots=True)
class Step:
    """A token of a key, or the end token, and what it was chosen among."""

    token: int
    renormalised: float  # log-prob over what the index allows, in nats; 0 where it allows this one only
    raw: float | None  # log-prob over the full vocabulary; None where raw ones are not known
    allowed: int  # tokens that the index allows, the end token among them where a key ends


@dataclass(frozen=True, slots=True)
class Term:
    """A feature in the score of a fitted order: contribution = weight * (value - mean) / scale."""

    name: str
    value: float
    weight: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a key is where it is."""

    source: Source
    mention: Mention | None  # of its subject, if the ranking looked for mentions
    steps: tuple[Step, ...]  # they sum to the key's scores
    order: Order = "model"
    terms: tuple[Term, ...] = ()  # of the order that ranked it; none of the model's own


def explanations(
    keys: Sequence[tuple[int, ...]],
    known: Mapping[tuple[int, ...], Stem],
    mode: Literal["beam", "exact"],
    added: Collection[tuple[int, ...]],
    mentions: Sequence[Mention],
    *,
    raw: bool,
) -> list[Explanation]:
    """The explanations of keys, end tokens included, but for their terms.

    Args:
        keys: candidates of a search.
        known: the stems of the search, by what was written when they were chosen.
        mode: of the search.
        added: those of the keys that mentions gave and the search had not.
        mentions: subjects in the question.
        raw: whether the stems know raw log-probs.
    """
    found = []
    for key in keys:
        mention = next((one for one in mentions if key[: len(one.begun)] == one.begun), None)
        source: Source = mode
        if mention is not None and key in added:
            source = "misspelt" if mention.misspelt else "name"
        found.append(Explanation(source, mention, _steps(key, known, raw)))
    return found


def _steps(key: tuple[int, ...], known: Mapping[tuple[int, ...], Stem], raw: bool) -> tuple[Step, ...]:
    stem = known[()]
    found = _forced(stem, 0, raw)
    while len(found) < len(key):
        at = int(np.flatnonzero(stem.tokens_next == key[len(found)])[0])
        log = float(stem.raw[at]) if raw and stem.raw is not None else None
        found.append(Step(key[len(found)], float(stem.renormalised[at]), log, len(stem.tokens_next)))
        if len(found) < len(key):
            stem = known[key[: len(found)]]
            found += _forced(stem, 1, raw)
    return tuple(found)


def _forced(stem: Stem, first: int, raw: bool) -> list[Step]:
    """The tokens of a stem's run from one on."""
    run = zip(stem.tokens[len(stem.tokens) - stem.run :], stem.written.tolist(), strict=True)
    return [Step(token, 0.0, log if raw else None, 1) for token, log in run][first:]


def terms(ranking: Ranking, columns: NDArray[np.float64]) -> list[tuple[Term, ...]]:
    """The terms of K candidates by their features, (K, F), each candidate's from the greatest to the least."""
    found = []
    for values, parts in zip(columns.tolist(), ranking.contributions(columns).tolist(), strict=True):
        row = zip(ranking.features, values, ranking.weights, parts, strict=True)
        found.append(tuple(sorted((Term(*term) for term in row), key=lambda term: -abs(term.contribution))))
    return found
