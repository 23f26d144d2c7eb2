"""Beam search for one question."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.retrieval.search.options import SearchOptions
from models.retrieval.search.stem import Choice, Stem

Prior = Callable[[Stem], NDArray[np.float64]]
"""Term added to the log-probabilities of a stem's choices when hypotheses are ranked, (A,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Complete:
    """A key with the end token, and the sums of its log-probabilities."""

    tokens: tuple[int, ...]  # the end token included
    rank: float  # the score that orders keys
    renormalised: float
    raw: float  # means nothing where raw ones are not known


@dataclass(frozen=True, slots=True, eq=False)
class _Live:
    """A hypothesis: a stem and how many tokens of its run count as written yet."""

    stem: Stem
    at: int
    rank: float
    renormalised: float
    raw: float

    def options(self, by_raw: bool, prior: Prior | None) -> NDArray[np.float64]:
        """Gain in rank by each next token: one of a run, or the stem's choices."""
        stem = self.stem
        if self.at < stem.run:
            return stem.written[self.at : self.at + 1] if by_raw else np.zeros(1)
        gains = stem.raw if by_raw and stem.raw is not None else stem.renormalised
        return gains if prior is None else gains + prior(stem)


def beam(
    question: int, options: SearchOptions, end: int, prior: Prior | None = None
) -> Generator[Sequence[Choice], Sequence[Stem], list[Complete]]:
    """Yields choices to follow, is sent the stems behind them, returns complete keys, best first.

    The first k of them are what the beam found; the others were finished and overtaken.

    Step by step as Hugging Face's beam search of width k (``early_stopping=False``), so that raw
    ranks equal those of ``generate(prefix_allowed_tokens_fn=...)``: of the best 2k continuations
    by one token, those among the first k that close a key are finished, with
    score / length ** length_penalty, and the best k others go on. The k best finished ones are kept.
    The search ends when the best running one, at its present length, ranks no higher than the worst
    of k finished ones: a bound where length_penalty <= 0, else Hugging Face's heuristic.

    Forced runs are known ahead from one forward, but are spent token by token, since hypotheses
    compete at equal lengths.
    """
    k = options.beams
    (root,) = yield [Choice(question, None)]
    live = [_Live(root, 0, 0.0, 0.0, 0.0)]
    finished: list[Complete] = []
    length = 0
    while live:
        length += 1
        norm = float(length) ** options.length_penalty
        running: list[tuple[_Live, int, float]] = []
        for place, (one, at, rank) in enumerate(_best(live, 2 * k, options.score == "raw", prior)):
            token, renormalised, raw = _spent(one, at)
            if token == end:
                if place < k:
                    tokens = (*_written(one), token)
                    finished.append(Complete(tokens, rank / norm, one.renormalised + renormalised, one.raw + raw))
            elif len(running) < k:
                running.append((one, at, rank))
        finished.sort(key=lambda key: -key.rank)
        if len(finished) >= k and running and running[0][2] / norm <= finished[k - 1].rank:
            break
        chosen = [Choice(question, one.stem, at) for one, at, _ in running if one.at == one.stem.run]
        stems = iter((yield chosen) if chosen else ())
        live = []
        for one, at, rank in running:
            _, renormalised, raw = _spent(one, at)
            stem, spent = (next(stems), 1) if one.at == one.stem.run else (one.stem, one.at + 1)
            live.append(_Live(stem, spent, rank, one.renormalised + renormalised, one.raw + raw))
    return finished


def _best(live: Sequence[_Live], most: int, by_raw: bool, prior: Prior | None) -> list[tuple[_Live, int, float]]:
    """The best continuations by one token: hypothesis, which of its choices, and the new rank."""
    gains = [one.options(by_raw, prior) for one in live]
    ranks = np.concatenate([one.rank + gain for one, gain in zip(live, gains, strict=True)])
    owners = np.repeat(np.arange(len(live)), [len(gain) for gain in gains])
    places = np.concatenate([np.arange(len(gain)) for gain in gains])
    keep = np.argpartition(-ranks, most - 1)[:most] if len(ranks) > most else np.arange(len(ranks))
    keep = keep[np.argsort(-ranks[keep], kind="stable")]
    return [(live[owners[i]], int(places[i]), float(ranks[i])) for i in keep]


def _spent(one: _Live, at: int) -> tuple[int, float, float]:
    """A continuation's token and its renormalised and raw log-probabilities."""
    stem = one.stem
    if one.at < stem.run:
        return stem.tokens[len(stem.tokens) - stem.run + one.at], 0.0, float(stem.written[one.at])
    raw = 0.0 if stem.raw is None else float(stem.raw[at])
    return int(stem.tokens_next[at]), float(stem.renormalised[at]), raw


def _written(one: _Live) -> tuple[int, ...]:
    return one.stem.tokens[: len(one.stem.tokens) - one.stem.run + one.at]
