"""Beginnings of texts, read token by token, and the rows that follow them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from models.language.forward.masked_output import MaskedOutput, entropies, log_norms
from models.language.scoring.kv_cache import Context, Usage
from samplers.lattices.language import NextTokens, TokenIds

if TYPE_CHECKING:
    from models.language.scoring.scorer import CausalScorer

ROWS_AT_ONCE = 128
"""Rows over the vocabulary that are held at once: one over 50,000 tokens takes 200 KB, several times over."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPrefix:
    """A beginning of a text with what the model keeps of it; implements :class:`samplers.lattices.language.Prefix`.

    Attributes:
        next: the row that follows it, at the tokens asked for.
        kv: keys and values of its k tokens, (k, layers, 2, H, D); None of the empty one.
    """

    next: NextTokens
    kv: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Tokens to read after prefixes; those of many requests share a forward.

    Attributes:
        scorer: of the model.
        context: the text that every prefix continues.
        output: the vocabulary.
        prefixes, tokens, asked: see :meth:`samplers.lattices.language.PrefixModel.read`.
        usage: where the work is booked.
    """

    scorer: CausalScorer
    context: Context
    output: MaskedOutput
    prefixes: Sequence[ReadPrefix | None]
    tokens: Sequence[Sequence[int]]
    asked: Sequence[Sequence[TokenIds]]
    usage: Usage = field(default_factory=Usage)
    rank: ClassVar[int] = 1

    @property
    def kind(self) -> object:
        """Readings by one model run together."""
        return (Readings, self.scorer)

    @property
    def cost(self) -> int:
        """Tokens to read."""
        return sum(map(len, self.tokens))

    @torch.inference_mode()
    def run(self, together: Sequence[Readings]) -> list[list[list[ReadPrefix]]]:
        """One forward for all."""
        each = [
            (work, prefix, tokens)
            for work in together
            for prefix, tokens in zip(work.prefixes, work.tokens, strict=True)
        ]
        fed = [(work, prefix, tokens) for work, prefix, tokens in each if tokens]
        hidden = fresh = torch.empty(0)
        if fed:
            hidden, fresh = self.scorer.continued(
                [tokens for *_, tokens in fed],
                [None if prefix is None else prefix.kv for _, prefix, _ in fed],
                [work.context.kv for work, *_ in fed],
            )
            for usage in {id(work.usage): work.usage for work, *_ in fed}.values():
                usage.lm_calls += 1
        results: list[list[list[ReadPrefix]]] = []
        at = 0
        for work in together:
            states: list[Tensor] = []
            kept: list[list[Tensor | None]] = []
            for prefix, tokens in zip(work.prefixes, work.tokens, strict=True):
                work.usage.lm_tokens += len(tokens)
                rows, new = hidden[at : at + len(tokens)], fresh[at : at + len(tokens)]
                at += len(tokens)
                before = None if prefix is None else prefix.kv
                # In memory of its own: the batch's is as large as all that was read with it.
                kv = torch.cat((new,) if before is None else (before, new)) if tokens else None
                known = 0 if before is None else len(before)
                kept.append([kv[: known + k] for k in range(1, len(tokens) + 1)] if kv is not None else [])
                if prefix is None:
                    states.append(work.context.root.hidden)
                    kept[-1].insert(0, None)
                if tokens:
                    states.append(rows)
            asked = [ids for of_one in work.asked for ids in of_one]
            following = iter(_rows(work.output, torch.cat(states), asked))
            results.append([[ReadPrefix(next(following), kv) for kv in of_one] for of_one in kept])
        return results


def _rows(output: MaskedOutput, hidden: Tensor, asked: Sequence[TokenIds]) -> list[NextTokens]:
    """The rows after prefixes, at the tokens asked for, with their entropies."""
    results: list[NextTokens] = []
    uniform = math.log(len(output.vocabulary))
    for start in range(0, len(hidden), ROWS_AT_ONCE):
        logits = output.logits(hidden[start : start + ROWS_AT_ONCE])
        norms = log_norms(logits)
        shares = entropies(logits, norms) / uniform
        for row, norm, entropy, wanted in zip(
            logits, norms.tolist(), shares.tolist(), asked[start : start + ROWS_AT_ONCE], strict=True
        ):
            log_probs = row[torch.from_numpy(wanted).to(row.device)].cpu().double().numpy() - norm
            results.append(NextTokens(log_probs, entropy))
    return results
