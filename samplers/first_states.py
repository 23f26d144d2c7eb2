"""First states: a draft that the model writes around the keywords, then repaired into the support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samplers.language import LanguageModel, ProposalQuery, Scored
from samplers.state import END, State
from samplers.target import Target


class InfeasibleError(ValueError):
    """No state that satisfies the constraints was reached; the message shows the closest."""


@dataclass(frozen=True, slots=True)
class KeywordBlocks:
    """The frozen material of a sentence.

    Attributes:
        forms: for each keyword the token sequences of its forms, all distinct.
        ordered: whether the keywords keep the order given.
        end: the closing token to begin with.
    """

    forms: Sequence[Sequence[tuple[int, ...]]]
    ordered: bool
    end: int

    def draw(self, rng: np.random.Generator) -> list[tuple[int, tuple[int, ...]]]:
        """``(keyword, tokens)`` blocks: in random order unless ordered, each in a random form."""
        order = np.arange(len(self.forms)) if self.ordered else rng.permutation(len(self.forms))
        return [(int(k), tuple(self.forms[k][int(rng.integers(len(self.forms[k])))])) for k in order]


async def construct(
    blocks: KeywordBlocks,
    target: Target,
    model: LanguageModel[Any],
    rngs: Sequence[np.random.Generator],
    *,
    reach: int = 3,
    drafts: int = 1,
    patience: int = 60,
) -> list[State]:
    """One admissible first state a chain: a :func:`draft`, repaired, or built up from the bare keywords.

    Any admissible first state serves the law of the chain; a fluent one saves it steps. Of several
    drafts a chain keeps the one of the greatest density.

    Args:
        blocks: keywords and closing token.
        target: whose support is to be reached.
        model: supplies rows and scores.
        rngs: one generator a chain.
        reach: most free tokens that a draft writes before each keyword and before the end.
        drafts: how many each chain draws to choose from, >= 1.
        patience: rounds without progress, over all restarts of a chain, before giving up.

    Raises:
        InfeasibleError: a chain ran out of patience.
    """
    draws = rngs if drafts == 1 else [child for rng in rngs for child in rng.spawn(drafts)]
    written = await draft(blocks, model, draws, reach) if reach else _bare(blocks, draws)
    states = await _repair(written, blocks, target, model, draws, patience)
    if drafts == 1:
        return states
    scored = await model.score([state.tokens for state in states], [None] * len(states))
    density = [
        target.log_density(state, float(score.log_probs.sum()), 1.0)
        for state, score in zip(states, scored, strict=True)
    ]
    own = [range(i, i + drafts) for i in range(0, len(states), drafts)]
    return [states[max(places, key=density.__getitem__)] for places in own]


async def draft(
    blocks: KeywordBlocks, model: LanguageModel[Any], rngs: Sequence[np.random.Generator], reach: int
) -> list[State]:
    """Let the model write up to each keyword, and on to an end, from left to right.

    Before each block (and before the closing token) ``reach`` tokens are drawn one after the
    other; the text is then cut where the block was likeliest to come next.
    """
    orders = [blocks.draw(rng) for rng in rngs]
    written = [State((blocks.end,), (END,)) for _ in rngs]
    scored: list[Scored | None] = [None] * len(rngs)
    for stage in range(len(blocks.forms) + 1):
        best = [-np.inf] * len(rngs)
        chosen, chosen_scores = list(written), list(scored)
        grown = list(written)
        for extra in range(reach + 1):
            if extra:
                # The row before the block is the row after what is written so far.
                replies = await model.rows(
                    [score for score in scored if score is not None],
                    [
                        ProposalQuery(state.end, _DRAFT_EPSILON, _DRAFT_SHARPNESS, uniform=rng.random())
                        for state, rng in zip(grown, rngs, strict=True)
                    ],
                )
                grown = [
                    state.inserted(state.end, reply.token)
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
    return written


_DRAFT_EPSILON = 1e-9
_DRAFT_SHARPNESS = 1.5


def _bare(blocks: KeywordBlocks, rngs: Sequence[np.random.Generator]) -> list[State]:
    return [State.assemble(blocks.draw(rng), blocks.end) for rng in rngs]


async def _repair(
    states: list[State],
    blocks: KeywordBlocks,
    target: Target,
    model: LanguageModel[Any],
    rngs: Sequence[np.random.Generator],
    patience: int,
) -> list[State]:
    """Insert and delete free tokens until no constraint is violated.

    Each round every open chain tries four drawn tokens in each of up to eight gaps, and the
    deletion of each free token, and keeps the edit that lowers the violation most, the
    likeliest if several do. When none does, it starts again from bare keywords in another
    order and form.
    """
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
        replies = await model.rows([score for score, *_ in asked], [query for *_, query in asked])
        edits = [
            (i, states[i].inserted(query.position, reply.token), -reply.log_q)
            for (_, i, query), reply in zip(asked, replies, strict=True)
            if reply.token is not None and reply.log_q is not None
        ] + [
            (i, states[i].deleted(position), -float(score.log_probs[position]))
            for score, i in zip(scored, open_chains, strict=True)
            for position in states[i].free
        ]
        best: dict[int, tuple[float, State]] = {}
        # The likeliest first: a later one must be nearer to the support, and few need to be looked at closely.
        for i, state, _ in sorted(edits, key=lambda edit: edit[2]):
            nearest = best[i][0] if i in best else violations[i]
            if (violation := target.violation(state, nearest)) < nearest:
                best[i] = (violation, state)
        for i in open_chains:
            if i in best:
                violations[i], states[i] = best[i]
                continue
            failures[i] += 1
            if failures[i] >= patience:
                raise InfeasibleError(
                    "no sentence that holds every constraint was found; the closest was "
                    f"{target.decode(states[i].tokens)!r}"
                )
            if failures[i] % 3 == 0:
                (states[i],) = _bare(blocks, [rngs[i]])
                violations[i] = target.violation(states[i])
    return states


_REPAIR_EPSILON = 0.05
