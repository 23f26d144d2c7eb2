"""A causal LM with a LoRA adapter, as training sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from torch import Tensor

from models.retrieval.training.loss import padded
from models.retrieval.training.options import TrainingOptions


@dataclass(frozen=True, eq=False)
class Learner:
    """Gives the hidden states that predict keys, with gradients to the adapter alone.

    Attributes:
        model: peft's wrapper around the causal LM.
    """

    model: Any

    @classmethod
    def start(cls, model: Any, options: TrainingOptions) -> Learner:
        """A new adapter over all linear layers of a frozen model; it changes nothing at first.

        A is drawn from the global generator of torch, which is seeded here.
        """
        torch.manual_seed(options.seed)
        config = LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        return cls(get_peft_model(model, config))

    @property
    def output(self) -> Tensor:
        """The output embedding, (V, d)."""
        weight: Tensor = self.model.get_base_model().get_output_embeddings().weight
        return weight.detach()

    @property
    def softcap(self) -> float | None:
        """The cap on logits, if the model has one."""
        config = self.model.get_base_model().config.get_text_config()
        return getattr(config, "final_logit_softcapping", None)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.output.device

    def hidden(self, questions: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Tensor:
        """Last hidden states of the rows that predict the keys' tokens, key after key, (N, d).

        The rows are padded on the right, where no token of a causal model looks.
        """
        rows = [[*question, *key[:-1]] for question, key in zip(questions, keys, strict=True)]
        tokens, real = padded(rows, self.device)
        starts = torch.tensor([len(question) - 1 for question in questions], device=self.device)
        predicts = real & (torch.arange(tokens.shape[1], device=self.device) >= starts[:, None])
        body = self.model.get_base_model().get_decoder()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.output.dtype == torch.bfloat16):
            states: Tensor = body(input_ids=tokens, use_cache=False).last_hidden_state
        return states[predicts].to(self.output.dtype)

    def optimizer(self, options: TrainingOptions) -> torch.optim.Optimizer:
        """AdamW or Adafactor, with a learning rate of its own for LoRA's B."""
        adam = options.optimizer == "adamw"
        optimizer: torch.optim.Optimizer = create_loraplus_optimizer(
            self.model,
            torch.optim.AdamW if adam else torch.optim.Adafactor,
            **({"fused": True} if adam else {}),
            lr=options.learning_rate,
            loraplus_lr_ratio=options.loraplus_ratio,
            loraplus_weight_decay=options.weight_decay,
        )
        optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
        return optimizer

    def parameters(self) -> Iterable[Tensor]:
        """Those of the adapter."""
        return (p for p in self.model.parameters() if p.requires_grad)

    def save(self, folder: Path) -> None:
        """Write the adapter as peft does, in float16, which halves it and rounds by 2^-11 at most."""
        before = {name: p.data for name, p in self.model.named_parameters() if p.requires_grad}
        try:
            for name, p in self.model.named_parameters():
                if name in before:
                    p.data = p.data.half()
            self.model.save_pretrained(str(folder))
        finally:
            for name, p in self.model.named_parameters():
                if name in before:
                    p.data = before[name]

    @property
    def state(self) -> dict[str, Tensor]:
        """The adapter's parameters by name, in full precision."""
        return {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Set the adapter's parameters.

        Raises:
            KeyError: some are missing.
        """
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                if p.requires_grad:
                    p.copy_(state[name])
