"""R-hat, ESS and MCSE against arviz-stats, of which these are independent implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, isnan, nan

import numpy as np
import pytest
from arviz_stats.base import array_stats

from samplers.diagnostics.ess import ess_bulk, ess_tail, mcse
from samplers.diagnostics.rhat import nested_rhat, rhat
from samplers.diagnostics.scores import Draws

ARRAYS = 1000

PAIRS: dict[str, tuple[Callable[[Draws], float], Callable[[Draws], float]]] = {
    "rhat": (rhat, lambda draws: array_stats.rhat(draws)),
    "ess_bulk": (ess_bulk, lambda draws: array_stats.ess(draws, method="bulk")),
    "ess_tail": (ess_tail, lambda draws: array_stats.ess(draws, method="tail", prob=0.05)),
    "mcse": (mcse, lambda draws: array_stats.mcse(draws, method="mean")),
}

SPECIAL = {
    "constant": np.full((4, 20), 0.1),
    "apart and still": np.repeat([[0.1], [0.7], [0.3]], 20, axis=1),
    "one still": np.vstack((np.zeros(20), np.arange(20.0), np.arange(20.0)[::-1])),
    "two values": np.tile([-1.0, 1.0], (3, 10)),
    "jump at half": np.repeat([[0.0, 1.0]], 10, axis=1).repeat(4, axis=0),
    "a NaN": np.array([[1.0, 2.0, nan, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0]]),
    "only NaN": np.full((3, 8), nan),
    "an inf": np.array([[1.0, 2.0, inf, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0]]),
    "one chain": np.arange(30.0)[None] % 7,
    "three draws": np.arange(6.0).reshape(2, 3),
    "four draws": np.arange(8.0).reshape(2, 4),
    "five draws": np.arange(10.0).reshape(2, 5) ** 2,
}


def random_arrays() -> Iterator[Draws]:
    """Chains of all kinds: independent, slow, still for long, apart, of few values, heavy-tailed."""
    for seed in range(ARRAYS):
        rng = np.random.default_rng(seed)
        shape = int(rng.integers(1, 17)), int(rng.integers(4, 150))
        noise = rng.standard_normal(shape)
        kind = seed % 6
        if kind == 1:
            walk = rng.uniform(0.5, 1)
            for t in range(1, shape[1]):
                noise[:, t] += walk * noise[:, t - 1]
        elif kind == 2:
            for t in range(1, shape[1]):
                noise[:, t] = np.where(rng.random(shape[0]) < 0.9, noise[:, t - 1], noise[:, t])
        elif kind == 3:
            noise += rng.standard_normal((shape[0], 1)) * 3
        elif kind == 4:
            noise = np.round(noise)
        elif kind == 5:
            noise = rng.standard_cauchy(shape)
        yield noise


def same(ours: float, theirs: float) -> bool:
    """Both NaN, both infinite but for the rounding of a variance that is 0, or equal to 1e-6."""
    return (
        (isnan(ours) and isnan(theirs))
        or (ours == inf and theirs > 1e6)
        or ours == pytest.approx(theirs, rel=1e-6, abs=1e-12)
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", PAIRS)
def test_random_arrays(name: str) -> None:
    ours, theirs = PAIRS[name]
    different = [
        (seed, ours(draws), theirs(draws))
        for seed, draws in enumerate(random_arrays())
        if not same(ours(draws), float(theirs(draws)))
    ]
    assert not different


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("case", SPECIAL)
def test_special_arrays(name: str, case: str) -> None:
    ours, theirs = (figure(SPECIAL[case]) for figure in PAIRS[name])
    assert same(ours, float(theirs)), (ours, theirs)


def test_nested() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        size, count = int(rng.integers(1, 6)), int(rng.integers(2, 5))
        draws = rng.standard_normal((size * count, int(rng.integers(4, 40))))
        superchains = list(rng.permutation(np.arange(size * count) % count))
        draws += 0.3 * np.array(superchains)[:, None]
        theirs = array_stats.rhat_nested(draws, superchain_ids=np.array(superchains))
        assert nested_rhat(draws, superchains) == pytest.approx(float(theirs), rel=1e-6)
    with pytest.raises(ValueError, match="make them equal"):
        nested_rhat(np.zeros((3, 8)), [0, 0, 1])
    with pytest.raises(ValueError, match="give one for each"):
        nested_rhat(np.zeros((3, 8)), [0, 1])


def test_many_short_chains_agree_nested_but_not_alone() -> None:
    """64 chains of 8 draws, half of whose variance is between chains of one superchain: too short, and not biased."""
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((64, 1)) + rng.standard_normal((64, 8))
    assert rhat(draws) > 1.2
    assert nested_rhat(draws, [chain // 16 for chain in range(64)]) < 1.05
