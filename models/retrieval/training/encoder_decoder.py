"""Training of an encoder-decoder model (T5, mT5, BART and their kin) with an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from models.retrieval.training.adapter import Adapter
from models.retrieval.training.learner import OutputLayer, padded


@dataclass(frozen=True, eq=False)
class EncoderDecoderLearner:
    """A transformers model behind :class:`models.retrieval.training.learner.Learner`."""

    adapter: Adapter

    @cached_property
    def output(self) -> OutputLayer:
        """See :attr:`models.retrieval.training.learner.Learner.output`; BART and its kin keep the bias beside it."""
        base = self.adapter.base
        bias = getattr(base, "final_logits_bias", None)
        return OutputLayer(base.get_output_embeddings().weight.detach(), None if bias is None else bias[0].detach())

    @property
    def _scale(self) -> float:
        """T5 with tied embeddings divides the decoder's last states by the root of their size."""
        config = self.adapter.base.config
        return float(config.d_model**-0.5) if getattr(config, "scale_decoder_outputs", False) else 1.0

    def hidden(self, questions: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Tensor:
        """See :meth:`models.retrieval.training.learner.Learner.hidden`.

        The encoder's padding is masked; the decoder's stands on the right, where no token looks.
        """
        device, dtype = self.output.device, self.output.dtype
        base = self.adapter.base
        asked, real = padded(questions, device)
        start = base.config.decoder_start_token_id
        written, predicts = padded([[start, *key[:-1]] for key in keys], device)
        mask = real.long()
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            encoded = base.get_encoder()(input_ids=asked, attention_mask=mask).last_hidden_state
            states: Tensor = base.get_decoder()(
                input_ids=written, encoder_hidden_states=encoded, encoder_attention_mask=mask, use_cache=False
            ).last_hidden_state
        return (self._scale * states[predicts]).to(dtype)
