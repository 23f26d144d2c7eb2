"""log p(question | key) by a language model that has read some keys with their questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.examples import Example


@dataclass(eq=False)
class QuestionModel:
    """Reads lines ``subject predicate → question`` of examples, and then the line of each key.

    The meaning of a subject is left out: questions rarely tell it.
    """

    scorer: CausalScorer  # the language model, without an adapter
    encode: Callable[[str], list[int]]  # text to token ids, nothing added
    begin: int  # the token that begins a text
    examples: Sequence[Example]  # read before
    _read: ContextCache | None = field(default=None, init=False, repr=False)

    def log_likelihoods(self, question: str, keys: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """See :class:`models.retrieval.ranking.noisy_channel.QuestionLikelihood`; one forward for all keys.

        Keys that differ in their meaning alone are read once.
        """
        beginnings = [_line(*key[:2]) for key in keys]
        distinct = list(dict.fromkeys(beginnings))
        asked = self.encode(" ".join(question.split()))
        fed = [[*self.encode(beginning), *asked] for beginning in distinct]
        with torch.inference_mode():
            hidden, _ = self.scorer.continued(
                [tokens[:-1] for tokens in fed], [None] * len(fed), [self._context()] * len(fed)
            )
            ends = np.cumsum([len(tokens) - 1 for tokens in fed])
            rows = torch.cat([hidden[end - len(asked) : end] for end in ends])
            logits = self.scorer.forward.full_output.logits(rows)
            targets = torch.tensor(asked, device=logits.device).repeat(len(fed))
            logs = logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(-1)
            sums = logs.view(len(fed), len(asked)).double().sum(-1).cpu().numpy()
        known = dict(zip(distinct, sums, strict=True))
        return np.array([known[beginning] for beginning in beginnings])

    def _context(self) -> ContextCache:
        if self._read is None:
            text = "".join(f"{_line(*example.fact.parts[:2])}{example.question}\n" for example in self.examples)
            _, store = self.scorer.continued(
                [[self.begin, *self.encode(text)]], [None], [self.scorer.forward.no_context]
            )
            self._read = ContextCache.of(store)
        return self._read


def _line(subject: str, predicate: str = "") -> str:
    return f"{subject} {predicate} → "
