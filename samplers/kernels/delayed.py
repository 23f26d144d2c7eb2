"""Metropolis-Hastings that looks at the next tokens before it reads the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from samplers.kernels.base import Chain
from samplers.kernels.metropolis import Ahead, MetropolisHastings
from samplers.language import LanguageModel
from samplers.state import State


@dataclass(frozen=True, slots=True)
class DelayedAcceptance(MetropolisHastings):
    """Accepts in two stages, of which the first needs the scores of the edit and ``tail`` tokens after it.

    Most edits clash at once with the words that follow. With r the ratio of
    :class:`~samplers.kernels.metropolis.MetropolisHastings` and, for an edit at position i whose
    window ends at e in x and at e' in x',

        log r_1 = beta (sum_{i <= j < e'} log p(x'_j | x'_<j) - sum_{i <= j < e} log p(x_j | x_<j)
                  + reward (|x'| - |x|)) + log q(x | x') - log q(x' | x),

    x' is accepted with probability min(1, r_1) min(1, r / r_1). Both factors are the inverse of
    those of the way back, since the window is a function of the two sentences alone, so pi_beta
    is kept. Only what passes the first stage is read to its end. A chain accepts somewhat less
    than with one stage (Peskun), and pays far less for what it rejects.

    Source: Christen and Fox, Markov chain Monte Carlo using an approximation (JCGS 2005).

    Attributes:
        tail: tokens after the edit in the window, >= 1.
    """

    tail: int = 2

    def _draw(self, state: State, rng: np.random.Generator, beta: float) -> Ahead:
        # Not super(): a dataclass with slots is another class than the one that the cell refers to.
        step = MetropolisHastings._draw(self, state, rng, beta)
        step.second_log_uniform = log(1.0 - rng.random())
        step.generator_state = rng.bit_generator.state
        return step

    async def _score(
        self, chains: Sequence[Chain], ahead: Sequence[Sequence[Ahead]], model: LanguageModel[Any]
    ) -> None:
        """Score up to the windows' ends, then what passes to the end."""
        wanted = [
            (chain, step, step.proposal.state, step.proposal.log_q_ratio)
            for chain, steps in zip(chains, ahead, strict=True)
            for step in steps
            if step.proposal is not None and step.admitted
        ]
        windows = [window(chain.state.tokens, state.tokens, self.tail) for chain, _, state, _ in wanted]
        firsts = await model.score(
            [state.tokens[: w.new_stop] for w, (_, _, state, _) in zip(windows, wanted, strict=True)],
            [chain.scored for chain, *_ in wanted],
        )
        passed = []
        for w, first, (chain, step, state, log_q_ratio) in zip(windows, firsts, wanted, strict=True):
            if w.new_stop == len(state):
                step.scored = first
                continue
            gained = first.log_probs[w.start :].sum() - chain.scored.log_probs[w.start : w.old_stop].sum()
            longer = self.target.length_reward * (len(state) - len(chain.state))
            step.first_log_ratio = step.beta * (float(gained) + longer) + log_q_ratio
            if step.log_uniform < step.first_log_ratio:
                passed.append((step, state, first))
        scores = await model.score([state.tokens for _, state, _ in passed], [first for *_, first in passed])
        for (step, *_), scored in zip(passed, scores, strict=True):
            step.scored = scored


@dataclass(frozen=True, slots=True)
class Window:
    """Where two sentences differ, and some tokens more.

    Attributes:
        start: first position at which they differ.
        old_stop: end of the window in the one.
        new_stop: end of the window in the other; its length where nothing after the window is the same.
    """

    start: int
    old_stop: int
    new_stop: int


def window(old: tuple[int, ...], new: tuple[int, ...], tail: int) -> Window:
    """The window of a replacement, insertion or deletion; of any other change, all from its start."""
    start = 0
    while start < min(len(old), len(new)) - 1 and old[start] == new[start]:
        start += 1
    longer = len(new) - len(old)
    old_stop = start + (longer != 1) + tail
    new_stop = old_stop + longer
    if abs(longer) > 1 or old_stop >= len(old) or old[old_stop:] != new[new_stop:]:
        return Window(start, len(old), len(new))
    return Window(start, old_stop, new_stop)
