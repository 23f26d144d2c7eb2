"""Whether the chains of a run have converged, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, inf, isfinite, nan

import numpy as np
from pydantic import BaseModel, Field

from samplers.diagnostics.ess import ess_bulk, ess_tail, mcse
from samplers.diagnostics.rhat import rhat
from samplers.diagnostics.scores import MIN_DRAWS, Draws

MAX_RHAT = 1.05
"""Greatest R-hat of chains that agree. Vehtari et al. (2021) ask for 1.01 of four long chains; many short ones that
agree reach 400 effective draws with an R-hat of about sqrt(1 + 2 chains / 400)."""
MIN_ESS = 400
"""Fewest effective draws to rely on the figures themselves (Vehtari et al. 2021, section 4)."""
MORE_STEPS = 10
"""Times as many steps to advise where the chains do not agree, so that ESS tells nothing of how many are missing."""


class Figures(BaseModel):
    """A figure of each quantity that was followed along the chains; null where it has no finite value."""

    log_density: float | None = Field(description="of the target at beta = 1, in nats")
    length: float | None = Field(description="of the length in tokens, closing mark included")
    keyword_order: float | None = Field(
        description="of the number of the keywords' order, from 0, among all orders; null where it never changed"
    )


class Convergence(BaseModel):
    """What the chains tell of their own convergence, from their steps after `warmup`."""

    converged: bool | None = Field(description="null where `reason` says why that is no question, or unknown")
    summary: str = Field(description="in words: whether the chains can be trusted as samples, or what to raise")
    reason: str | None = Field(description="why figures are null, if all are")
    warmup: int = Field(description="steps left out at the beginning of each chain: the first half")
    rhat: Figures | None = Field(
        description=f"rank-normalised split R-hat: 1 where chains agree, above {MAX_RHAT} where they do not"
    )
    ess_bulk: Figures | None = Field(description="effective draws, all chains together, for means")
    ess_tail: Figures | None = Field(description="effective draws for the 5 % and 95 % quantiles")
    mcse: Figures | None = Field(description="Monte Carlo standard error of the mean")


def order_number(order: Sequence[int]) -> int:
    """The number of a permutation among all in lexicographic order, from 0."""
    number = 0
    for place, keyword in enumerate(order):
        number = number * (len(order) - place) + sum(later < keyword for later in order[place + 1 :])
    return number


def warmup_of(steps: int) -> int:
    """Steps to leave out of so many."""
    return steps // 2


def unknown(reason: str, summary: str, steps: int = 0) -> Convergence:
    """The report of chains without figures."""
    return Convergence(
        converged=None,
        summary=summary,
        reason=reason,
        warmup=warmup_of(steps),
        rhat=None,
        ess_bulk=None,
        ess_tail=None,
        mcse=None,
    )


def of_search(steps: int) -> Convergence:
    """The report of chains whose law changes with every step."""
    return unknown(
        "annealing searches: its law changes with every step, and there is none to converge to",
        "A search, to be judged by its sentences; for samples of the law ask for the sampler metropolis.",
        steps,
    )


def of_draws() -> Convergence:
    """The report of samples that are no chains."""
    return unknown(
        "draws without chains: each is made by itself, and none converges",
        "No chains: `draws` tells how many sentences were kept, or how many the weighted ones are worth.",
    )


def of_several_laws(steps: int) -> Convergence:
    """The report of chains under different contexts."""
    return unknown(
        "chains continue different contexts: each samples a law of its own, and they need not agree",
        "Unknown: chains under different contexts cannot be compared; give one context to judge the chains by it.",
        steps,
    )


def convergence(draws: Mapping[str, Draws], steps: int) -> Convergence:
    """The report of chains of one law.

    Args:
        draws: of `log_density`, `length` and, with keywords to order, `keyword_order`; after the warm-up, each of
            shape (chains, draws).
        steps: taken by each chain, warm-up included.
    """
    chains, drawn = draws["log_density"].shape
    if drawn < MIN_DRAWS:
        least = 2 * MIN_DRAWS
        return unknown(
            f"too few steps: the figures need {MIN_DRAWS} draws of each chain after the warm-up",
            f"Unknown: {steps} steps are too few to tell; raise sampler.steps to {least} at least, better to hundreds.",
            steps,
        )
    varied = {name: each for name, each in draws.items() if name != "keyword_order" or np.ptp(each) > 0}
    table = {
        figure.__name__: {name: figure(each) for name, each in varied.items()}
        for figure in (rhat, ess_bulk, ess_tail, mcse)
    }
    still = int((np.ptp(draws["log_density"], axis=1) == 0).sum())
    converged, summary = _verdict(table, chains, still, steps)
    figures = {name: _figures(of) for name, of in table.items()}
    return Convergence(converged=converged, summary=summary, reason=None, warmup=warmup_of(steps), **figures)


def _figures(of: Mapping[str, float]) -> Figures:
    given = {name: of.get(name, nan) for name in Figures.model_fields}
    return Figures(**{name: value if isfinite(value) else None for name, value in given.items()})


def _verdict(table: Mapping[str, Mapping[str, float]], chains: int, still: int, steps: int) -> tuple[bool | None, str]:
    """Whether the chains have converged, and a sentence that says so."""
    if still == chains:
        return False, (
            f"Not converged: no chain moved in the second half of its steps; raise sampler.steps to "
            f"{MORE_STEPS * steps} or more, or loosen the length."
        )
    if chains < 2:
        return None, (
            "Unknown: one chain cannot show whether another would come to the same; raise sampler.chains to 4 or more."
        )
    # NaN where a quantity was the same in all draws, of which nothing can disagree.
    known = {name: value for name, value in table["rhat"].items() if value == value}
    worst = max(known, key=known.__getitem__)
    if known[worst] > MAX_RHAT:
        far = "inf" if known[worst] == inf else f"{known[worst]:.2f}"
        stuck = f", and {still} of {chains} chains stood still" if still else ""
        return False, (
            f"Not converged: the chains disagree (R-hat {far} of the {worst.replace('_', ' ')}){stuck}; "
            f"raise sampler.steps to {MORE_STEPS * steps} or more."
        )
    ess = min(value for name in ("ess_bulk", "ess_tail") for value in table[name].values() if value == value)
    if ess < MIN_ESS:
        return False, (
            f"Not yet: the chains agree (R-hat {known[worst]:.2f}), but their draws are worth only {ess:.0f} "
            f"independent ones of {MIN_ESS} to rely on; "
            f"raise sampler.steps to about {_round_up(steps * MIN_ESS / ess)}."
        )
    return True, (
        f"Converged: the chains agree (R-hat {known[worst]:.2f}), and their draws are worth {ess:.0f} independent ones."
    )


def _round_up(number: float) -> int:
    """To two digits."""
    unit = int(10 ** max(0, len(str(int(number))) - 2))
    return unit * ceil(number / unit)
