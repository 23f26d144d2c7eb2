"""First states: satisfy the constraints, or reach them by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samplers.language import Alphabet, LanguageModel, RowQuery
from samplers.state import State
from samplers.target import Target


class InfeasibleError(ValueError):
    """No state that satisfies the constraints was reached; the message names what is violated."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The frozen material of a sentence.

    Attributes:
        forms: for each keyword the token sequences of its forms, all distinct.
        ordered: whether the keywords keep the order given.
        end: the closing token to begin with.
    """

    forms: Sequence[Sequence[tuple[int, ...]]]
    ordered: bool
    end: int

    def draw(self, rng: np.random.Generator) -> State:
        """The keywords side by side: in random order unless ordered, each in a random form."""
        order = np.arange(len(self.forms)) if self.ordered else rng.permutation(len(self.forms))
        return State.assemble([(int(k), self.forms[k][int(rng.integers(len(self.forms[k])))]) for k in order], self.end)


async def construct(
    blocks: Blocks,
    target: Target,
    model: LanguageModel,
    rngs: Sequence[np.random.Generator],
    *,
    epsilon: float = 0.05,
    candidates: int = 4,
    patience: int = 60,
) -> list[State]:
    """One admissible first state a chain.

    A chain begins with its keywords side by side. While a constraint is violated (two words
    that fuse, a length below its minimum), tokens drawn from the model's rows are inserted:
    each round every chain tries ``candidates`` tokens in each of up to eight gaps and keeps
    the insertion that lowers the violation most, the likeliest if several do. When none does,
    the chain starts again from another order or form.

    Args:
        blocks: keywords and closing token.
        target: whose support is to be reached.
        model: supplies the rows.
        rngs: one generator a chain.
        epsilon: uniform share of the rows.
        candidates: tokens tried for each gap.
        patience: rounds without progress, over all restarts of a chain, before giving up.

    Raises:
        InfeasibleError: a chain ran out of patience.
    """
    states = [blocks.draw(rng) for rng in rngs]
    violations = [target.violation(state) for state in states]
    failures = [0] * len(states)
    while open_chains := [i for i, violation in enumerate(violations) if violation > 0]:
        scored = await model.score([states[i].tokens for i in open_chains], [None] * len(open_chains))
        asked = []
        for score, i in zip(scored, open_chains, strict=True):
            gaps = states[i].gaps
            chosen = rngs[i].permutation(len(gaps))[:8]
            asked += [
                (score, i, gaps[int(g)], RowQuery(gaps[int(g)], epsilon, Alphabet.INTERIOR, uniform=rngs[i].random()))
                for g in chosen
                for _ in range(candidates)
            ]
        replies = await model.rows([score for score, *_ in asked], [query for *_, query in asked])
        best: dict[int, tuple[float, float, State]] = {}
        for (_, i, gap, _), reply in zip(asked, replies, strict=True):
            assert reply.token is not None and reply.log_q is not None
            state = states[i].inserted(gap, reply.token)
            key = (target.violation(state), -reply.log_q, state)
            if key[0] < violations[i] and (i not in best or key[:2] < best[i][:2]):
                best[i] = key
        for i in open_chains:
            if i in best:
                violations[i], _, states[i] = best[i]
                continue
            failures[i] += 1
            if failures[i] >= patience:
                raise InfeasibleError(
                    "no sentence that holds every constraint was found; the closest was "
                    f"{target.decode(states[i].tokens)!r}"
                )
            if failures[i] % 3 == 0:
                states[i] = blocks.draw(rngs[i])
                violations[i] = target.violation(states[i])
    return states
