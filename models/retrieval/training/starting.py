"""Start of a training: a model with an adapter, its logits checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from models.language.loading import LoadingError
from models.language.pretrained import read_weights
from models.retrieval.loading import Family, KeyTokenizer
from models.retrieval.training.adapter import Adapter
from models.retrieval.training.causal import CausalLearner
from models.retrieval.training.encoder_decoder import EncoderDecoderLearner
from models.retrieval.training.learner import Learner
from models.retrieval.training.options import TrainingOptions
from models.retrieval.writers.codec import KeyCodec

MAX_LOGIT_DIFFERENCE = {torch.float32: 1e-3}
"""Largest relative difference between a learner's logits and its model's; 0.1 in other precisions."""


def start(
    source: str,
    name: str,
    tokenizer: KeyTokenizer,
    options: TrainingOptions,
    *,
    dtype: torch.dtype,
    device: torch.device,
    adapter: Path | None = None,
) -> Learner:
    """A model of either family with an adapter to train.

    Args:
        source: folder.
        name: of the model, for the adapter.
        tokenizer, dtype, device: of the model; see :func:`models.language.pretrained.read_weights`.
        adapter: folder of the adapter to go on from; None for a new one.

    Raises:
        models.retrieval.training.adapter.StartError: the adapter does not fit.
        LoadingError: the model cannot be read, or computes logits otherwise than its family does.
    """
    transformers_logging.disable_progress_bar()
    kind = "AutoModelForCausalLM" if tokenizer.family == "causal" else "AutoModelForSeq2SeqLM"
    learner = begin(read_weights(kind, source, dtype, device), name, tokenizer.family, tokenizer.codec, options)
    if adapter is not None:
        learner.adapter.load(adapter)
    return learner


def begin(model: Any, name: str, family: Family, codec: KeyCodec, options: TrainingOptions) -> Learner:
    """A loaded model with a new adapter.

    Raises:
        LoadingError: it computes logits otherwise than its family does.
    """
    learner: Learner
    if family == "causal":
        learner = CausalLearner(Adapter.attach(model, name, "CAUSAL_LM", options))
    else:
        learner = EncoderDecoderLearner(Adapter.attach(model, name, "SEQ_2_SEQ_LM", options))
    _check(learner, codec)
    return learner


@torch.inference_mode()
def _check(learner: Learner, codec: KeyCodec) -> None:
    """Compare the learner's logits with the model's own, which each family scales, shifts and caps otherwise."""
    base = learner.adapter.base
    learner.adapter.model.eval()
    (question, key), device = (codec.question("1 2"), (codec.separator, codec.end)), learner.output.device
    mine = learner.output.over(learner.hidden([question], [key]), torch.arange(len(learner.output.weight)).to(device))
    if base.config.is_encoder_decoder:
        written = torch.tensor([[base.config.decoder_start_token_id, codec.separator]], device=device)
        inputs = {"input_ids": torch.tensor([question], device=device), "decoder_input_ids": written}
    else:
        inputs = {"input_ids": torch.tensor([[*question, codec.separator]], device=device)}
    true = base(**inputs, use_cache=False).logits[0, -2:].float()
    apart = float((mine - true).norm() / true.norm())
    if not apart <= MAX_LOGIT_DIFFERENCE.get(learner.output.dtype, 0.1):
        raise LoadingError(
            f"model {learner.adapter.name!r} cannot be trained: its logits are not those of its last hidden states "
            f"and its output layer (they differ by {apart:.2g} of their size); choose T5, mT5, BART, or a causal "
            "model such as Gemma, Llama or Qwen"
        )
