"""Training of a causal LM with an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from models.retrieval.training.adapter import Adapter
from models.retrieval.training.learner import OutputLayer, padded


class _Row(NamedTuple):
    """Tokens in a row, one entry of each list a token."""

    tokens: list[int]
    places: list[int]  # in what it sees
    branch: list[int]  # 0 in the text itself
    predicts: list[int]  # 1 where the next token is a key's


class Branches(NamedTuple):
    """A text, and questions about it with their keys."""

    text: Sequence[int]
    questions: Sequence[Sequence[int]]
    keys: Sequence[Sequence[int]]  # each ends in the end token

    def row(self) -> _Row:
        """All in one row, the last token of each key left out, after which nothing is asked."""
        start = len(self.text)
        row = _Row([*self.text], [*range(start)], [0] * start, [0] * start)
        for number, (question, key) in enumerate(zip(self.questions, self.keys, strict=True)):
            row.tokens.extend((*question, *key[:-1]))
            row.places.extend(range(start, start + len(question) + len(key) - 1))
            row.branch.extend([number + 1] * (len(question) + len(key) - 1))
            row.predicts.extend([0] * (len(question) - 1) + [1] * len(key))
        return row


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

    def hidden_after(self, texts: Sequence[Branches]) -> Tensor:
        """Hidden states of the rows that predict the keys' tokens, text after text and key after key, (N, d).

        Every question is read right after its text, of which it and its key see all, and of one another nothing.
        """
        device, dtype, config = self.output.device, self.output.dtype, self.adapter.base.config.get_text_config()
        rows = [one.row() for one in texts]
        tokens, real = padded([row.tokens for row in rows], device)
        places, _ = padded([row.places for row in rows], device)
        branch, _ = padded([row.branch for row in rows], device)
        predicts, _ = padded([row.predicts for row in rows], device)
        seen = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
        seen &= torch.ones_like(seen).tril()
        near = places[:, :, None] - places[:, None, :] < (getattr(config, "sliding_window", None) or tokens.shape[1])
        # By kind of layer, as Gemma takes them; what is added to attention's logits suits every way of computing it.
        apart = torch.finfo(dtype).min
        masks = {
            "full_attention": apart * (~seen[:, None]).to(dtype),
            "sliding_attention": apart * (~(seen & near)[:, None]).to(dtype),
        }
        body = self.adapter.base.get_decoder()
        with torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            states: Tensor = body(
                input_ids=tokens, attention_mask=masks, position_ids=places, use_cache=False
            ).last_hidden_state
        return states[predicts.bool() & real].to(dtype)
