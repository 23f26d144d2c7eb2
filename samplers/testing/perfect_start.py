"""Perfect starts: exact draws of the law of chains with keywords, and tests by ranks that chains keep or reach it.

Draw a sentence from the language model, choose some of its words, and ask for these very keywords: the sentence is
then an exact draw of what chains with them shall sample (:class:`ChosenPlaces`), in a space of any size. So without a
list of states and without burn-in, :func:`rank_test` asks whether chains stay in the law that they begin in, or come
to it from elsewhere.

Sources: Geweke, Getting it right (JASA 2004); Cook, Gelman and Rubin, Validation of software for Bayesian models (JCGS
2006); Talts et al., Validating Bayesian inference algorithms with simulation-based calibration (2018).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, erfc, exp, gamma, inf, log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.first_states import from_text
from samplers.kernels.base import Chain, Kernel
from samplers.language import LanguageModel
from samplers.rejection import Rejection
from samplers.run import generators
from samplers.state import State
from samplers.testing.kernel_laws import pearson

Keywords = tuple[tuple[int, ...], ...]
"""The tokens of each keyword's block."""

Places = Callable[[Sequence[int]], Sequence[slice]]
"""The positions in a closed sentence that may be a keyword's: disjoint, without the closing token, by the tokens
alone."""

Statistic = Callable[[Chain], float]

FirstStates = Callable[[Keywords, Sequence[np.random.Generator]], Awaitable[Sequence[State]]]
"""A first state for each generator, of chains with the keywords."""

STATISTICS: Mapping[str, Statistic] = {
    "log-density": lambda chain: chain.log_prob + chain.position.log_weight,
    "tokens": lambda chain: len(chain.state),
    "place of the first keyword": lambda chain: chain.state.block(0).start,
    "keyword that stands first": lambda chain: chain.state.keywords[0],
}


def every_token(tokens: Sequence[int]) -> list[slice]:
    """Each token but the closing one is a place."""
    return [slice(i, i + 1) for i in range(len(tokens) - 1)]


def keywords_of(state: State) -> Keywords:
    """The tokens of keywords 0, 1 and so on."""
    return tuple(state.tokens[state.block(keyword)] for keyword in range(len(state.keywords)))


@dataclass(frozen=True, slots=True)
class ChosenPlaces:
    """The potential -log C(n, m) of a sentence with n places, m of them keywords' blocks; -inf if a block is none.

    Let x ~ p, and let the blocks of keywords 0 ... m - 1 be m of its n(x) places, each ordered choice as likely as any
    other. A state, which is a text with its labels, comes from one text and one choice alone, so its probability is

        p(x) (n - m)! / n! = p(x) / (m! C(n(x), m)),

    and given the tokens in the blocks it is proportional to that, over all states with such blocks: the law of chains
    with these keywords and this potential. Keywords with equal tokens are no exception, since exchanging their labels
    gives another state. Of ordered keywords the choice is a set, and m! is left out. Where x ~ p exp(phi), phi joins
    the potential. If some states are thrown away, by their tokens, labels and keywords, the others are exact draws of
    the law with that constraint, whatever share they are.

    Attributes:
        places: of a sentence.
    """

    places: Places

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`samplers.Potential.log_weights`."""
        return np.array([self._log_weight(state) for state in states])

    def _log_weight(self, state: State) -> float:
        places, order = self.places(state.tokens), state.keywords
        chosen = all(state.block(keyword) in places for keyword in order)
        return -log(comb(len(places), len(order))) if chosen else -inf


def with_keywords(
    tokens: Sequence[int], places: Places, count: int, rng: np.random.Generator, ordered: bool = False
) -> State | None:
    """The sentence with ``count`` of its places as keywords, numbered at random or in their order; None for too few."""
    found = places(tokens)
    if len(found) < count:
        return None
    drawn = rng.choice(len(found), size=count, replace=False)
    return from_text(tokens, [found[i] for i in (sorted(drawn) if ordered else drawn)])


async def perfect_starts(
    sentences: Rejection,
    model: LanguageModel[Any],
    places: Places,
    count: int,
    seed: int,
    ordered: bool = False,
    admits: Callable[[State], bool] = lambda state: True,
) -> list[State]:
    """Exact draws of the law with their own keywords, as many as sentences have enough places and are admitted.

    Args:
        sentences: draws of the language model, without keywords. It must let every token stand that the model may
            write, with a known ``ceiling`` if its target has a potential.
        model: the language model.
        places: of a sentence.
        count: number of keywords.
        seed: of sentences and places.
        ordered: whether the chains' keywords keep their order.
        admits: whether a state is of the chains' support; may ask for its keywords.
    """
    texts: list[tuple[int, ...]] = []
    async for step in sentences.run(model, seed):
        texts = [chain.state.tokens for chain in step.chains]
    rng = np.random.default_rng(seed)
    states = [with_keywords(text, places, count, rng, ordered) for text in texts]
    return [state for state in states if state is not None and admits(state)]


async def advanced(
    kernel: Kernel,
    chains: list[Chain],
    model: LanguageModel[Any],
    rngs: Sequence[np.random.Generator],
    total_steps: int,
) -> list[Chain]:
    """The chains at a given step, each exactly there."""
    while min(chain.steps for chain in chains) < total_steps:
        chains = await kernel.advance(chains, model, rngs, total_steps)
    return chains


async def beside(
    kernel: Kernel,
    model: LanguageModel[Any],
    starts: Sequence[State],
    draws: int,
    steps: int,
    seed: int,
    first: Sequence[State] | None = None,
) -> tuple[list[Chain], list[list[Chain]]]:
    """The given states as chains, and ``draws`` chains for each that stand where it might stand itself.

    The parallel method of Besag and Clifford: from x ``steps`` steps back, from there as many forth, ``draws`` times
    independently. A reversible kernel is its own way back. If it keeps the law of x, x and the others are exchangeable,
    since given the state at the bottom all are draws of one law: exactly, however slowly the chain mixes.

    Source: Besag and Clifford, Generalized Monte Carlo significance tests (Biometrika 1989).

    Args:
        kernel: reversible.
        model: the language model.
        starts: the states x.
        draws: chains for each.
        steps: back, and forth.
        seed: of the chains.
        first: states to start from instead of those at the bottom, those of the first draw for each x, then
            those of the second. Then x and the others are exchangeable if ``steps`` steps from there reach the law.

    Returns:
        Chains at the states x, and for each draw a list of as many.
    """
    size, rngs = len(starts), generators(seed, len(starts) * (1 + draws))
    own = await kernel.init(starts, model)
    if first is None:
        bottom = await advanced(kernel, own, model, rngs[:size], steps)
        first = [chain.state for chain in bottom] * draws
    others = await advanced(kernel, await kernel.init(first, model), model, rngs[size:], steps)
    return own, [others[i * size : (i + 1) * size] for i in range(draws)]


def ranks(
    own: npt.ArrayLike, others: npt.ArrayLike, rng: np.random.Generator, decimals: int = 6
) -> npt.NDArray[np.int64]:
    """Rank of each value among its others, 0 to L, ties broken at random.

    Args:
        own: values, shape (n,).
        others: for each L values, shape (L, n).
        rng: for ties.
        decimals: to which values are compared, since one state's score may differ by rounding.
    """
    mine, theirs = np.round(np.asarray(own), decimals), np.round(np.asarray(others), decimals)
    return np.asarray((theirs < mine).sum(0) + rng.integers(0, (theirs == mine).sum(0) + 1))


def uniformity(found: npt.ArrayLike, draws: int) -> float:
    """p-value of ranks among ``draws`` others, by Pearson's test of the uniform law on 0 to ``draws``.

    Raises:
        ValueError: there are fewer than 5 (draws + 1) ranks, of which the test knows nothing.
    """
    counts = np.bincount(found, minlength=draws + 1)
    if counts.sum() < 5 * (draws + 1):
        raise ValueError(f"{counts.sum()} ranks are too few among {draws} draws: give {5 * (draws + 1)} or more")
    return chi_square_tail(*pearson(counts, np.full(draws + 1, counts.sum() / (draws + 1))))


def chi_square_tail(statistic: float, freedom: int) -> float:
    """P(X >= statistic) for X of the chi-square law with so many degrees of freedom, >= 1."""
    half, odd = statistic / 2, freedom % 2
    powers = [odd / 2 + i for i in range(freedom // 2)]
    return odd * erfc(sqrt(half)) + exp(-half) * sum((half**power / gamma(power + 1) for power in powers), 0.0)


def rank_test(
    starts: Sequence[State],
    kernel_of: Callable[[Keywords], Kernel],
    model: LanguageModel[Any],
    *,
    draws: int = 4,
    steps: int = 8,
    seed: int = 1,
    first: FirstStates | None = None,
    statistics: Mapping[str, Statistic] = STATISTICS,
) -> dict[str, float]:
    """For each statistic the p-value of the ranks of exact draws among the states of chains (:func:`beside`).

    Under a kernel that keeps its law each is uniform on (0, 1], but for the rounding of Pearson's test.
    With ``first`` the same holds if chains from there have reached the law after ``steps`` steps.

    Args:
        starts: exact draws (:func:`perfect_starts`), at least 5 (draws + 1); the more, the smaller the mistake seen.
        kernel_of: the kernel for some keywords, reversible.
        model: the language model.
        draws: chains for each start.
        steps: of each.
        seed: of all.
        first: first states of the chains.
        statistics: what is ranked.

    Raises:
        ValueError: there are too few starts.
    """
    groups: dict[Keywords, list[State]] = {}
    for state in starts:
        groups.setdefault(keywords_of(state), []).append(state)

    async def of_group(number: int, keywords: Keywords, states: Sequence[State]) -> list[npt.NDArray[np.float64]]:
        own_seed = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
        given = None if first is None else await first(keywords, generators(own_seed + 2**32, draws * len(states)))
        own, others = await beside(kernel_of(keywords), model, states, draws, steps, own_seed, given)
        return [np.array([list(map(value, row)) for row in [own, *others]], float) for value in statistics.values()]

    async def all_groups() -> list[list[npt.NDArray[np.float64]]]:
        return [await of_group(number, *group) for number, group in enumerate(groups.items())]

    rng, found = np.random.default_rng(seed), asyncio.run(all_groups())
    values = {name: np.concatenate(parts, 1) for name, parts in zip(statistics, zip(*found, strict=True), strict=True)}
    return {name: uniformity(ranks(rows[0], rows[1:], rng), draws) for name, rows in values.items()}
