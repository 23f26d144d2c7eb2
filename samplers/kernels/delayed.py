"""Metropolis-Hastings that looks at the next tokens before it reads the rest."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from samplers.kernels.base import Chain
from samplers.kernels.metropolis import MetropolisHastings
from samplers.kernels.prefetch import PrefetchedStep, ScoreRequest
from samplers.language import Scored
from samplers.state import State


@dataclass(frozen=True, slots=True)
class DelayedAcceptance(MetropolisHastings):
    """Accepts in two stages, of which the first needs the scores of the edit and ``tail`` tokens after it.

    Most edits clash at once with the words that follow. With r the ratio of
    :class:`~samplers.kernels.metropolis.MetropolisHastings` and, for an edit at position i whose
    window ends at e in x and at e' in x',

        log r_1 = beta (v(x'_i ... x'_{e' - 1}) - v(x_i ... x_{e - 1})) + log q(x | x') - log q(x' | x),

    x' is accepted with probability min(1, r_1) min(1, r / r_1). Both factors are the inverse of
    those of the way back, since the window is a function of the two sentences alone, so pi_beta
    is kept. Only a proposal that passes the first stage is scored to its end and, r_1 being without
    the potential, weighed. A chain accepts somewhat less than with one stage (Peskun), and pays far
    less for what it rejects. The second stage of some chains is scored beside the first of others.

    Source: Christen and Fox, Markov chain Monte Carlo using an approximation (JCGS 2005).

    Attributes:
        tail: tokens after the edit in the window, >= 1.
    """

    tail: int = 2

    def _draw(self, state: State, rng: np.random.Generator, beta: float) -> PrefetchedStep:
        # Not super(): a dataclass with slots is another class than the one that the cell refers to.
        step = MetropolisHastings._draw(self, state, rng, beta)
        step.second_log_uniform = log(1.0 - rng.random())
        return step

    def _request(self, chain: Chain, step: PrefetchedStep, proposed: State) -> None:
        stop = self._window(chain, step, proposed).new_stop
        step.score_request = ScoreRequest(proposed.tokens[:stop], step.read or chain.position.scored)

    def _window(self, chain: Chain, step: PrefetchedStep, proposed: State) -> Window:
        local = step.proposal is not None and step.proposal.local
        return (span_window if local else window)(chain.state.tokens, proposed.tokens, self.tail)

    def _receive(self, chain: Chain, step: PrefetchedStep, scored: Scored) -> None:
        """Take in the score up to the window's end, or to that of a proposal that passed."""
        proposal = step.proposal
        assert proposal is not None
        state, potential = proposal.state, self.target.potential
        step.score_request = None
        whole = len(scored.log_probs) == len(state)
        if whole and (potential is None or step.first_log_ratio is not None):
            step.scored = scored
            return
        at = self._window(chain, step, state)
        old, log_probs = chain.state.tokens, chain.position.scored.log_probs
        before, value = slice(at.start, at.old_stop), self.target.objective.value
        lost = value(log_probs[before], closed=at.old_stop == len(old))
        gained = value(scored.log_probs[at.start :], closed=whole) - lost
        step.first_log_ratio = step.beta * gained + proposal.log_q_ratio
        if step.log_uniform < step.first_log_ratio:
            step.weight_open = potential is not None
            step.scored, step.score_request = (scored, None) if whole else (None, ScoreRequest(state.tokens, scored))


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


def span_window(old: tuple[int, ...], new: tuple[int, ...], tail: int) -> Window:
    """The window of a span exchanged for another: all between the tokens that both begin and end with, and the tail."""
    shortest, start, alike = min(len(old), len(new)), 0, 0
    while start < shortest - 1 and old[start] == new[start]:
        start += 1
    while alike < shortest - start and old[-1 - alike] == new[-1 - alike]:
        alike += 1
    stop = max(0, alike - tail)
    return Window(start, len(old) - stop, len(new) - stop)
