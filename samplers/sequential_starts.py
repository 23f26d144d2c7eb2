"""First states from sequential Monte Carlo: the likeliest sentences of its last population."""

from __future__ import annotations

from typing import Any

from samplers.kernels.base import Chain
from samplers.language import LanguageModel
from samplers.smc import SequentialMonteCarlo
from samplers.state import State


async def likeliest(smc: SequentialMonteCarlo, model: LanguageModel[Any], seed: int, count: int) -> list[State]:
    """At most ``count`` distinct sentences, the likeliest first; none where no particle came through.

    Sentences that have their keywords in another order or open with another token come before more of one kind, so
    that chains do not all begin beside one another.

    Args:
        smc: the sampler, whose target's density at beta = 1 ranks them.
        model: the language model.
        seed: of the particles.
        count: >= 0.
    """
    found: list[Chain] = []
    async for step in smc.run(model, seed):
        if step.whole:
            found = list(step.chains)

    def log_density(chain: Chain) -> float:
        return smc.target.log_density(chain.state, chain.position.scored.log_probs, chain.position.log_weight, 1.0)

    ranked = list(dict.fromkeys(chain.state for chain in sorted(found, key=log_density, reverse=True)))
    best_of_kind = {(*state.keywords, state.tokens[0]): state for state in reversed(ranked)}
    kinds = sorted(best_of_kind.values(), key=ranked.index)
    return list(dict.fromkeys([*kinds, *ranked]))[:count]
