"""First states: from keywords, around which the model writes a draft, or from a text; repaired into the support."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from samplers.language import LanguageModel, ProposalQuery, Scored
from samplers.state import END, FREE, State
from samplers.target import Target


class InfeasibleError(ValueError):
    """No state of positive density was reached; the message shows the closest."""


class Apart(NamedTuple):
    """Law of the number J of free tokens drawn before a block.

    P(J >= j) is 1 up to ``sure``, and ``more`` times the last from there on.

    Attributes:
        sure: free tokens that are always drawn.
        more: probability to draw one more. The longest of many segments is read in small batches, so it is low.
    """

    sure: int
    more: float


BETWEEN_KEYWORDS = Apart(3, 0.4)


@dataclass(frozen=True, slots=True)
class KeywordBlocks:
    """The frozen material of a sentence: keywords, and other texts that stand in it as a keyword does.

    Attributes:
        forms: for each block the token sequences of its forms, all distinct; a block's number is its owner.
        ordered: whether all blocks but the outer ones keep the order given.
        end: the closing token to begin with.
        opening: blocks that open the sentence, one right after the other.
        closing: blocks that stand right before the closing token, one right after the other.
        rows: disjoint rows of other blocks; those of a row keep their order among themselves.
        scaffold: blocks that a first state is laid out with and that are free tokens in it.
        inserts: free tokens that the repair may insert together, beside those that the model draws.
        skeleton: draws a sentence in place of the bare one; it may give None where it finds none.
        drafted: the only free tokens that a draft writes, where others would soon be deleted; None for any.
        apart: how many free tokens particles draw before a block; of sentences with little frozen material, more.
    """

    forms: Sequence[Sequence[tuple[int, ...]]]
    ordered: bool
    end: int
    opening: Sequence[int] = ()
    closing: Sequence[int] = ()
    rows: Sequence[Sequence[int]] = ()
    scaffold: Collection[int] = ()
    inserts: Sequence[tuple[int, ...]] = ()
    drafted: Collection[int] | None = None
    skeleton: Callable[[np.random.Generator], State | None] | None = None
    apart: Apart = BETWEEN_KEYWORDS

    def draw(self, rng: np.random.Generator) -> list[tuple[int, tuple[int, ...]]]:
        """``(block, tokens)`` pairs: in random order as far as it is free, each in a random form."""
        inner = self._inner
        order = inner if self.ordered else [inner[int(at)] for at in rng.permutation(len(inner))]
        for row in self.rows:
            places = sorted(order.index(number) for number in row)
            for place, number in zip(places, row, strict=True):
                order[place] = number
        whole = [*self.opening, *order, *self.closing]
        return [(k, tuple(self.forms[k][int(rng.integers(len(self.forms[k])))])) for k in whole]

    def bare(self, rng: np.random.Generator) -> State:
        """A sentence of nothing but the blocks, drawn as :meth:`draw` does, or a skeleton."""
        drawn = self.skeleton(rng) if self.skeleton is not None else None
        return self.released(drawn if drawn is not None else State.assemble(self.draw(rng), self.end))

    def released(self, state: State) -> State:
        """The state with its scaffold as free tokens."""
        owners = (FREE if owner in self.scaffold else owner for owner in state.owners)
        return State(state.tokens, tuple(owners)) if self.scaffold else state

    @property
    def is_laid_out(self) -> bool:
        """Whether first states have more than blocks and what the model writes between them."""
        return bool(self.scaffold or self.inserts or self.skeleton or self.drafted is not None)

    def free_before(self, stage: int) -> bool:
        """Whether free tokens may stand before the stage-th block of a sentence, or before its end."""
        return stage >= len(self.opening) and (not self.closing or stage <= len(self.forms) - len(self.closing))

    def orders(self) -> Iterator[tuple[int, ...]]:
        """Every order in which the blocks may stand."""
        inner = self._inner
        for order in [tuple(inner)] if self.ordered else permutations(inner):
            if all([number for number in order if number in row] == [*row] for row in self.rows):
                yield (*self.opening, *order, *self.closing)

    @property
    def _inner(self) -> list[int]:
        outer = {*self.opening, *self.closing}
        return [number for number in range(len(self.forms)) if number not in outer]


def from_text(tokens: Sequence[int], blocks: Sequence[slice] = ()) -> State:
    """A tokenised text as a state: free tokens but for the keywords' blocks and the last token, which closes it.

    Args:
        tokens: token ids, n >= 1 of them.
        blocks: for each keyword the positions of its block, before the closing token.

    Raises:
        ValueError: there is no token, or a block is empty, overlaps another or holds the closing token.
    """
    if not tokens:
        raise ValueError("a text needs at least its closing token")
    owners = [FREE] * (len(tokens) - 1)
    for keyword, block in enumerate(blocks):
        if not 0 <= block.start < block.stop <= len(owners) or any(owner != FREE for owner in owners[block]):
            raise ValueError(f"block {block.start}:{block.stop} of keyword {keyword} is not free in the text")
        owners[block] = [keyword] * (block.stop - block.start)
    return State(tuple(tokens), (*owners, END))


async def construct(
    source: KeywordBlocks | State,
    target: Target,
    model: LanguageModel[Any],
    rngs: Sequence[np.random.Generator],
    *,
    max_free_tokens: int = 3,
    drafts: int = 1,
    max_rounds: int = 60,
) -> list[State]:
    """One first state of positive density a chain: from keywords a :func:`draft` or the bare blocks, or the text given.

    A state that violates a constraint is repaired by edits; one of density 0 by the potential is
    drawn again, since a potential tells no way to its support. Any first state of positive density
    serves the law of the chain; a fluent one saves it steps. Of several drafts a chain keeps the one
    of the greatest density.

    Args:
        source: keywords and closing token, or a text (:func:`from_text`) from which every chain starts.
        target: the law whose support is to be reached.
        model: the language model.
        rngs: one generator a chain.
        max_free_tokens: most free tokens that a draft writes before each keyword and before the end.
        drafts: number of drafts for each chain to choose from, >= 1.
        max_rounds: most rounds of repair without progress, over all restarts of a chain, and most draws
            for the potential; a text is not drawn again. As long as no chain arrives, the chains
            together have four times as many.

    Raises:
        InfeasibleError: the rounds are used up.
    """
    found: dict[int, State] = {}
    states: list[State] = []
    for _ in range(max_rounds if isinstance(source, KeywordBlocks) else 1):
        missing = [i for i in range(len(rngs)) if i not in found]
        own = [child for i in missing for child in (rngs[i].spawn(drafts) if drafts > 1 else [rngs[i]])]
        if isinstance(source, State):
            states = [source] * len(own)
        elif max_free_tokens:
            states = await draft(source, model, own, max_free_tokens)
        else:
            states = [source.bare(rng) for rng in own]
        states = await _repair(states, source, target, model, own, max_rounds)
        if drafts == 1 and target.potential is None:
            return states
        density = await _log_densities(states, target, model)
        for k, i in enumerate(missing):
            best = max(range(k * drafts, (k + 1) * drafts), key=density.__getitem__)
            if density[best] > -np.inf:
                found[i] = states[best]
        if len(found) == len(rngs):
            return [found[i] for i in range(len(rngs))]
    raise InfeasibleError(
        f"every first state has density 0 by the potential; the last was {target.decode(states[-1].tokens)!r}"
    )


async def _log_densities(states: Sequence[State], target: Target, model: LanguageModel[Any]) -> list[float]:
    """log pi of each state at beta = 1, in nats."""
    scored = await model.score([state.tokens for state in states], [None] * len(states))
    return [
        target.log_density(state, score.log_probs, log_weight, 1.0)
        for state, score, log_weight in zip(states, scored, await target.log_weights(states), strict=True)
    ]


async def draft(
    blocks: KeywordBlocks, model: LanguageModel[Any], rngs: Sequence[np.random.Generator], max_free_tokens: int
) -> list[State]:
    """Let the model write up to each keyword, and on to an end, from left to right.

    Before each block (and before the closing token) ``max_free_tokens`` tokens are drawn one after
    the other; the text is then cut where the block was likeliest to come next.
    """
    orders = [blocks.draw(rng) for rng in rngs]
    written = [State((blocks.end,), (END,)) for _ in rngs]
    scored: list[Scored | None] = [None] * len(rngs)
    for stage in range(len(blocks.forms) + 1):
        best = [-np.inf] * len(rngs)
        chosen, chosen_scores = list(written), list(scored)
        grown = list(written)
        for extra in range(max_free_tokens + 1 if blocks.free_before(stage) else 1):
            if extra:
                # What comes before the block depends on the text written so far alone.
                replies = await model.propose(
                    [score for score in scored if score is not None],
                    [
                        ProposalQuery(state.end, _DRAFT_EPSILON, _DRAFT_SHARPNESS, uniform=rng.random())
                        for state, rng in zip(grown, rngs, strict=True)
                    ],
                )
                grown = [
                    state.inserted(state.end, reply.token)
                    if blocks.drafted is None or reply.token in blocks.drafted
                    else state
                    for state, reply in zip(grown, replies, strict=True)
                    if reply.token is not None
                ]
            blocked = [
                state.spliced(slice(state.end, state.end), order[stage][1], order[stage][0])
                if stage < len(order)
                else state
                for state, order in zip(grown, orders, strict=True)
            ]
            # The closing token counts only where it is what comes next.
            last = stage == len(blocks.forms)
            texts = [state.tokens if last else state.tokens[: state.end] for state in blocked]
            scored = list(await model.score(texts, scored))
            for i, (state, score) in enumerate(zip(blocked, scored, strict=True)):
                assert score is not None
                fit = float(score.log_probs[grown[i].end :].sum())
                if fit > best[i]:
                    best[i], chosen[i], chosen_scores[i] = fit, state, score
        written, scored = chosen, chosen_scores
    return [blocks.released(state) for state in written]


_DRAFT_EPSILON = 1e-9
_DRAFT_SHARPNESS = 1.5


async def _repair(
    states: list[State],
    source: KeywordBlocks | State,
    target: Target,
    model: LanguageModel[Any],
    rngs: Sequence[np.random.Generator],
    max_rounds: int,
) -> list[State]:
    """Insert and delete free tokens until no constraint is violated.

    Each round every open chain tries four drawn tokens in each of up to eight gaps, some of the
    source's own insertions, and the deletion of each free token, and keeps the edit that lowers the
    violation most, the likeliest if several do. Far from the support it takes any that lowers it,
    since there many follow, but not where a layout (a pattern's, say) lets few come nearer. When none
    lowers it, the chain goes back: a long sentence by some of its free tokens, any other, and a long one
    at last, to bare keywords in another order and form, or to the text.
    """
    inserts = [] if isinstance(source, State) else source.inserts
    laid_out = isinstance(source, KeywordBlocks) and source.is_laid_out
    far = np.inf if laid_out else _FAR
    violations = [target.violation(state) for state in states]
    failures = [0] * len(states)
    while open_chains := [i for i, violation in enumerate(violations) if violation > 0]:
        scored = await model.score([states[i].tokens for i in open_chains], [None] * len(open_chains))
        asked: list[tuple[Scored, int, ProposalQuery]] = []
        for score, i in zip(scored, open_chains, strict=True):
            gaps = states[i].gaps
            asked += [
                (score, i, ProposalQuery(gaps[int(g)], _REPAIR_EPSILON, uniform=rngs[i].random()))
                for g in rngs[i].permutation(len(gaps))[:8]
                for _ in range(4)
            ]
        replies = await model.propose([score for score, *_ in asked], [query for *_, query in asked])
        edits = [
            (i, states[i].inserted(query.position, reply.token), -reply.log_q)
            for (_, i, query), reply in zip(asked, replies, strict=True)
            if reply.token is not None and reply.log_q is not None
        ] + [
            (i, states[i].deleted(position), -float(score.log_probs[position]))
            for score, i in zip(scored, open_chains, strict=True)
            for position in states[i].free
        ]
        if not isinstance(source, State) and source.skeleton is not None:
            # A pattern may fix the number of characters, so that no insertion alone goes nearer.
            edits += [
                (i, states[i].replaced(query.position, reply.token), -reply.log_q)
                for (_, i, query), reply in zip(asked, replies, strict=True)
                if reply.token is not None and reply.log_q is not None and states[i].owners[query.position] == FREE
            ]
        if inserts:
            edits += [
                (i, states[i].spliced(slice(gap, gap), inserts[int(rngs[i].integers(len(inserts)))], FREE), np.inf)
                for i in open_chains
                for gap in states[i].gaps
                for _ in range(_INSERTS)
            ]
        best: dict[int, tuple[float, State]] = {}
        # The likeliest first: a later one must be nearer to the support, and few need to be looked at closely.
        for i, state, _ in sorted(edits, key=lambda edit: edit[2]):
            if i in best and violations[i] >= far:
                continue
            nearest = best[i][0] if i in best else violations[i]
            if (violation := target.violation(state, nearest)) < nearest:
                best[i] = (violation, state)
        for i in open_chains:
            if i in best:
                violations[i], states[i] = best[i]
                continue
            failures[i] += 1
            # What no chain of many reaches is refused sooner than what one of them is late for.
            none_arrived = len(open_chains) == len(states)
            if failures[i] >= max_rounds or (none_arrived and sum(failures) >= _POOLED_ROUNDS * max_rounds):
                raise InfeasibleError(
                    "no sentence that holds every constraint was found; the closest was "
                    f"{target.decode(states[i].tokens)!r}"
                )
            if failures[i] % _TRIES == 0:
                if isinstance(source, State):
                    states[i] = source
                elif len(states[i].free) >= _LONG and failures[i] % _STEPS_BACK and not laid_out:
                    states[i] = _thinned(states[i], rngs[i])
                else:
                    states[i] = source.bare(rngs[i])
                violations[i] = target.violation(states[i])
    return states


def _thinned(state: State, rng: np.random.Generator) -> State:
    """The state without some of its free tokens, drawn."""
    free = state.free
    for position in sorted(rng.permutation(len(free))[: len(free) // _THINNED], reverse=True):
        state = state.deleted(free[int(position)])
    return state


_REPAIR_EPSILON = 0.05
_POOLED_ROUNDS = 4
"""Rounds of all chains together, as a multiple of one chain's, after which a request that none can meet is refused."""
_FAR = 8.0
"""Violation from which on a chain takes the likeliest edit that lowers it, by however little: words are missing."""
_TRIES = 3
"""Rounds without progress after which a chain goes back."""
_LONG = 8
"""Free tokens from which on a sentence took so many rounds to write that it is not thrown away at once."""
_STEPS_BACK = 4 * _TRIES
"""Rounds without progress after which it is."""
_THINNED = 4
"""Of how many free tokens one is taken away until then."""
_INSERTS = 8
"""Of a source's own insertions, how many are tried in each gap."""
