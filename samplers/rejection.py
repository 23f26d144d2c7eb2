"""Rejection sampling: whole sentences of the language model, of which those that hold all constraints are kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import Any

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.kernels.base import Chain, Info, Position
from samplers.labellings import Reading, labellings
from samplers.language import Alphabet, LanguageModel, ProposalQuery, Scored
from samplers.outcome import Outcome
from samplers.run import Step, generator
from samplers.state import FREE, State
from samplers.target import Target
from samplers.weights import chosen, log_sum


@dataclass(frozen=True, slots=True)
class Kept:
    """A draw that holds all constraints.

    Attributes:
        chain: its state, score and number.
        log_weight: log w of the tokens, in nats.
        log_uniform: log of the uniform that decides whether it is kept.
    """

    chain: Chain
    log_weight: float
    log_uniform: float


@dataclass(slots=True)
class _Draw:
    """A sentence on its way."""

    number: int
    rng: np.random.Generator
    scored: Scored
    reading: Reading
    tokens: tuple[int, ...] = ()
    log_doubled: float = 0.0


@dataclass(frozen=True, slots=True)
class Rejection:
    """Independent samples of the target at beta = 1: draws from the language model, kept with probability w / M.

    The weight of tokens t is w(t) = sum over their labellings x of exp(phi(x) + v(x) - log p_LM(x)): the number of
    labellings, where there is no potential and the objective v is log p_LM. M is the greatest w met, at least
    ``exp(ceiling)``; when it rises, earlier draws are thinned by the same uniforms (empirical supremum rejection
    sampling). So samples are exact where no w is above the ceiling, such as where no sentence says a keyword's tokens
    twice, and otherwise as soon as a draw of the greatest w was met.

    A draw ends at its closing token, or where it is hopeless: its beginning is of no state (a token outside blocks
    that only spells), the keywords do not fit into ``max_tokens``, or a constraint says so.

    Sources: von Neumann (1951); Caffo, Booth and Davis, Empirical supremum rejection sampling (Biometrika 2002).

    Attributes:
        target: the law; states of more than ``max_tokens`` tokens are left out.
        blocks: the keywords.
        free: whether a token may stand outside blocks.
        closes: whether a token may close a sentence.
        draws: most draws.
        samples: samples after which it ends.
        max_tokens: most tokens of a sentence, the closing one included.
        batch: draws side by side; it ends between batches, since short draws end first.
        ceiling: log of the least M, in nats.
    """

    target: Target
    blocks: KeywordBlocks
    free: Callable[[int], bool]
    closes: Callable[[int], bool]
    draws: int
    samples: int
    max_tokens: int
    batch: int = 32
    ceiling: float = 0.0

    @property
    def last_step(self) -> int:
        """Number of the step at which it ends at the latest."""
        return self.draws

    async def run(self, model: LanguageModel[Any], seed: int) -> AsyncGenerator[Step]:
        """Draw batch by batch and yield all samples so far; a step is a draw."""
        holding: list[Kept] = []
        ceiling, drawn = self.ceiling, 0
        yield Step(0, [], Outcome(drawn=0, kept=0, ceiling=ceiling))
        while drawn < self.draws:
            numbers = range(drawn, min(drawn + self.batch, self.draws))
            holding += await self._batch(model, seed, numbers)
            drawn = numbers.stop
            ceiling = max([ceiling, *(one.log_weight for one in holding)])
            kept = [one.chain for one in holding if one.log_uniform < one.log_weight - ceiling][: self.samples]
            yield Step(drawn, kept, Outcome(drawn=drawn, kept=len(kept), ceiling=ceiling))
            if len(kept) == self.samples:
                return

    async def _batch(self, model: LanguageModel[Any], seed: int, numbers: Sequence[int]) -> list[Kept]:
        end = self.blocks.end
        (root,) = await model.score([(end,)], [None])
        start = Reading.empty(self.blocks, self.free)
        growing = [_Draw(number, generator(seed, number), root, start) for number in numbers]
        closed: list[_Draw] = []
        while growing:
            replies = await model.propose(
                [draw.scored for draw in growing],
                [
                    ProposalQuery(len(draw.tokens), 0.0, alphabet=Alphabet.MASK, uniform=draw.rng.random())
                    for draw in growing
                ],
            )
            following: list[_Draw] = []
            for draw, reply in zip(growing, replies, strict=True):
                assert reply.token is not None
                self._grow(draw, reply.token, closed, following)
            # The closing token stands in for the next one: its row is the one that is needed.
            scored = await model.score([(*draw.tokens, end) for draw in following], [draw.scored for draw in following])
            for draw, score in zip(following, scored, strict=True):
                draw.scored = score
            growing = following
        return await self._weighed(model, sorted(closed, key=lambda draw: draw.number))

    def _grow(self, draw: _Draw, token: int, closed: list[_Draw], following: list[_Draw]) -> None:
        """Add a token; the draw is then closed, goes on, or is given up."""
        may_close = draw.reading.complete and self.closes(token)
        draw.tokens = (*draw.tokens, token)
        draw.reading = draw.reading.after(token)
        goes_on = bool(draw.reading.fronts) and len(draw.tokens) + draw.reading.needed <= self.max_tokens
        if may_close and goes_on:
            # A closing mark that may also be part of a keyword: either, and twice the weight.
            draw.log_doubled += log(2)
            may_close = draw.rng.random() < 0.5
        if may_close:
            closed.append(draw)
        elif goes_on and not self._hopeless(draw.tokens):
            following.append(draw)

    def _hopeless(self, tokens: tuple[int, ...]) -> bool:
        """Whether a constraint rules out every sentence that begins so."""
        beginning = State(tokens, (FREE,) * len(tokens))
        text = self.target.decode(tokens)
        return any(
            constraint.hopeless(beginning, text)
            for constraint in self.target.constraints
            if not constraint.judges_labels
        )

    async def _weighed(self, model: LanguageModel[Any], closed: Sequence[_Draw]) -> list[Kept]:
        """The draws that hold all constraints, each in one of its labellings, drawn by their weights."""
        admitted = [
            (draw, states)
            for draw in closed
            if (
                states := [
                    state for state in labellings(draw.tokens, self.blocks, self.free) if self.target.admits(state)
                ]
            )
        ]
        scored = await model.score([draw.tokens for draw, _ in admitted], [draw.scored for draw, _ in admitted])
        log_weights = iter(await self.target.log_weights([state for _, states in admitted for state in states]))
        kept: list[Kept] = []
        for (draw, states), score in zip(admitted, scored, strict=True):
            phi = [next(log_weights) for _ in states]
            rewards = self.target.objective.value(score.log_probs) - float(score.log_probs.sum())
            logs = [value + rewards for value in phi]
            log_weight = log_sum(logs) + draw.log_doubled
            if log_weight > -inf:
                label = chosen(logs, draw.rng.random())
                chain = Chain(Position(states[label], score, phi[label]), Info(draw.number + 1))
                kept.append(Kept(chain, log_weight, log(1.0 - draw.rng.random())))
        return kept
