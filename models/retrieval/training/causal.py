"""Training of a causal LM with an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.retrieval.training.adapter import Adapter
from models.retrieval.training.learner import OutputLayer, padded


@dataclass(frozen=True, eq=False)
class CausalLearner:
    """The prefix-LM behind :class:`models.retrieval.training.learner.Learner`."""

    adapter: Adapter

    @cached_property
    def output(self) -> OutputLayer:
        """See :attr:`models.retrieval.training.learner.Learner.output`."""
        layer, config = self.adapter.base.get_output_embeddings(), self.adapter.base.config.get_text_config()
        bias = None if layer.bias is None else layer.bias.detach()
        return OutputLayer(layer.weight.detach(), bias, getattr(config, "final_logit_softcapping", None))

    def hidden(self, questions: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Tensor:
        """See :meth:`models.retrieval.training.learner.Learner.hidden`.

        Rows are padded on the right, where no token of a causal model looks.
        """
        device, dtype = self.output.device, self.output.dtype
        rows = [[*question, *key[:-1]] for question, key in zip(questions, keys, strict=True)]
        tokens, real = padded(rows, device)
        starts = torch.tensor([len(question) - 1 for question in questions], device=device)
        predicts = real & (torch.arange(tokens.shape[1], device=device) >= starts[:, None])
        body = self.adapter.base.get_decoder()
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            states: Tensor = body(input_ids=tokens, use_cache=False).last_hidden_state
        return states[predicts].to(dtype)
