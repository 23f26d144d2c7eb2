"""Frequencies of words, as a language model has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.scorer import CausalScorer


@torch.inference_mode()
def log_frequencies(
    scorer: CausalScorer, output: MaskedOutput, texts: Sequence[Sequence[int]]
) -> npt.NDArray[np.float64]:
    """Log of the mean next-token distribution over all places of some texts, by local id, (V,), in nats.

        u(w) = 1/N sum_i p(w | x_<i)

    An estimate of how often a token is met whatever goes before it; no token has 0, as a count would give. To be
    called in the model's thread.

    Args:
        scorer: of the model.
        output: the vocabulary.
        texts: token ids of each, the model's begin token first; N tokens in all.
    """
    empty = scorer.forward.no_context
    hidden, _ = scorer.continued(texts, [None] * len(texts), [empty] * len(texts))
    return np.asarray(output.logits(hidden).softmax(-1).double().mean(0).log().cpu())
