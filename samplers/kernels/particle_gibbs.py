"""Particle Gibbs: chains whose sentences are drawn anew together, by conditional sequential Monte Carlo."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain as joined
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.first_states import KeywordBlocks
from samplers.kernels.base import Chain, Kernel, Position, Try
from samplers.kernels.joint import JointKernel
from samplers.language import LanguageModel
from samplers.segments import Particle, Segments
from samplers.smc import twists
from samplers.target import Target
from samplers.weights import normalised

ROUNDS = 3
"""Times that each chain chooses its sentence from one population. It costs no model, and later rounds choose from
what earlier ones let go."""


@dataclass(frozen=True, slots=True)
class ParticleGibbs(JointKernel):
    """Chains that share a population of particles every ``every`` steps, and move on their own between.

    A population is a run of sequential Monte Carlo (:class:`~samplers.segments.Segments`) with N particles, of which K
    are retained: they grow into the sentences where the K chains stand. Each stage adds a keyword, the last the closing
    token; the ways of all particles are weighed, and those that go on are the K retained and N - K drawn by weight.
    Call the places that a sentence and its ancestors had in each stage its line. Over all that was drawn and K
    lines with no place in common, the law

        prod_k pi_beta(x_k) * (law of all other particles, given these)

    has a conditional given all particles that is the product of the K last weights. So each chain in turn chooses
    among the sentences whose lines share no place with those of the other chains, by weight, and pi_beta of each chain
    stays invariant for any N > K. With K = 1 this is the particle Gibbs sampler. One population serves all
    chains, where each alone would throw N - 1 particles away.

    A chain at a sentence that no particle can grow into, since it is too long or a token's probability rounds to 0,
    has no line; then none of its group moves.

    Sources: Andrieu, Doucet and Holenstein, Particle Markov chain Monte Carlo methods (JRSS B 2010), section 4.3;
    that it is reversible: Chopin and Singh, On particle Gibbs sampling (Bernoulli 2015); several chains in one
    ensemble: Neal, MCMC using ensembles of states (2011); Shestopaloff and Doucet, Replica conditional sequential
    Monte Carlo (ICML 2019).

    Attributes:
        kernel: that moves the chains in between, at ``beta``.
        target: the law.
        blocks: the keywords.
        max_tokens: most tokens of a sentence that a particle can grow into, the closing one included.
        particles: N, above ``together``.
        beta: inverse temperature.
        every: steps between populations, >= 1.
        together: K; chains come in groups of so many, and all have one law.

    Raises:
        ValueError: there are no more particles than chains.
    """

    kernel: Kernel
    target: Target
    blocks: KeywordBlocks
    max_tokens: int
    particles: int
    beta: float = 1.0
    every: int = 20
    together: int = 1
    name: str = "conditional_smc"

    def __post_init__(self) -> None:
        if self.particles <= self.together:
            raise ValueError(f"{self.particles} particles for {self.together} chains: give more particles than chains")

    @property
    def group(self) -> int:
        """See :attr:`JointKernel.group`."""
        return self.together

    async def step_together(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], number: int
    ) -> list[Chain]:
        """Every group after its population."""
        groups = [slice(start, start + self.together) for start in range(0, len(chains), self.together)]
        renewed = await asyncio.gather(*(self._renewed(chains[group], model, rngs[group.start]) for group in groups))
        return list(joined.from_iterable(renewed))

    async def _renewed(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rng: np.random.Generator
    ) -> list[Chain]:
        """One group after its population."""
        positions = await self._chosen(chains, model, rng)
        return [
            chain.beside(position, Try(self.name, True, position.state != chain.state))
            for chain, position in zip(chains, positions, strict=True)
        ]

    async def _chosen(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rng: np.random.Generator
    ) -> list[Position]:
        """Where the chains of one group stand after a population."""
        here = [chain.position for chain in chains]
        if max(map(len, (chain.state for chain in chains))) > self.max_tokens:
            return here
        missing = frozenset(range(len(self.blocks.forms)))
        segments = Segments(
            self.target,
            self.blocks,
            self.max_tokens,
            self.beta,
            await twists(self.target, self.blocks, model, self.beta),
        )
        begun = Particle((), (), missing, None, 0.0)
        particles = [replace(begun, retained=chain.state) for chain in chains]
        particles += [begun] * (self.particles - len(chains))
        lines: list[tuple[int, ...]] = [(place,) for place in range(self.particles)]
        for stage in range(len(missing) + 1):
            extend = segments.to_end if stage == len(missing) else segments.to_keyword
            extended = await extend(particles, model, [rng] * self.particles)
            ways = list(joined.from_iterable(extended))
            lines = [line for line, of_one in zip(lines, extended, strict=True) for _ in of_one]
            own = [number for number, way in enumerate(ways) if way.retained is not None]
            if len(own) < len(chains) or not all(isfinite(ways[number].log_weight) for number in own):
                return here
            weights = normalised([way.log_weight for way in ways])
            if stage < len(missing):
                drawn = rng.choice(len(ways), self.particles - len(own), p=weights)
                particles = [replace(ways[number], log_weight=0.0) for number in own]
                particles += [replace(ways[number], log_weight=0.0, retained=None) for number in drawn]
                lines = [(*lines[number], place) for place, number in enumerate([*own, *drawn])]
        found = [ways[number] for number in self._one_each(own, np.array(lines), weights, rng)]
        return [Position(one.state, one.scored, one.log_potential) for one in found if one.scored is not None]

    def _one_each(
        self, own: Sequence[int], lines: npt.NDArray[Any], weights: npt.NDArray[np.float64], rng: np.random.Generator
    ) -> list[int]:
        """A sentence for each chain, of lines that have no place in common, drawn by Gibbs sampling from their own.

        Args:
            own: the sentences where the chains stand.
            lines: places of each sentence and its ancestors, shape (sentences, stages).
            weights: of each sentence.
            rng: draws them.
        """
        found = list(own)
        for _ in range(ROUNDS):
            for chain in range(len(found)):
                others = lines[found[:chain] + found[chain + 1 :]]
                apart = ~(lines[:, None, :] == others[None, :, :]).any(axis=(1, 2))
                allowed = np.where(apart, weights, 0.0)
                if allowed.sum() > 0:
                    found[chain] = int(rng.choice(len(weights), p=allowed / allowed.sum()))
        return found
