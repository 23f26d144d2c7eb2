"""A LoRA adapter on a frozen model, for training."""

from __future__ import annotations

import copy
import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.optimizers import create_loraplus_optimizer
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from models.retrieval.training.options import TrainingOptions
from models.text.atomic import write_atomically

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
"""The files that peft reads."""


class StartError(ValueError):
    """A training cannot go on from an adapter; the message holds the remedy."""


def shape_of(folder: Path, options: TrainingOptions) -> TrainingOptions:
    """The options with rank and alpha of the adapter in a folder.

    Raises:
        StartError: it cannot be read.
    """
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        return TrainingOptions(**options.model_dump() | {"rank": config["r"], "alpha": config["lora_alpha"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(f"{folder} is no adapter that can be read ({error}): name another folder") from error


@dataclass(frozen=True, eq=False)
class Adapter:
    """The parameters that are trained."""

    model: Any  # peft's wrapper around the frozen model
    name: str  # of the frozen model, for readers of the adapter; no path of this machine

    @classmethod
    def attach(
        cls, model: Any, name: str, task: Literal["CAUSAL_LM", "SEQ_2_SEQ_LM"], options: TrainingOptions
    ) -> Adapter:
        """A new adapter over all linear layers of a frozen model; it changes nothing at first.

        A is drawn from the global generator of torch, which is seeded here.
        """
        torch.manual_seed(options.seed)
        config = LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules="all-linear",
            task_type=task,
        )
        with warnings.catch_warnings():
            # peft asks for a property by a name that transformers is giving up.
            warnings.simplefilter("ignore", FutureWarning)
            return cls(get_peft_model(model, config), name)

    @property
    def base(self) -> Any:
        """The frozen model, with the adapter's layers in it."""
        return self.model.get_base_model()

    @property
    def state(self) -> dict[str, Tensor]:
        """The adapter's parameters by name, in full precision."""
        return {name: p.detach() for name, p in self.model.named_parameters() if p.requires_grad}

    @property
    def parameters(self) -> list[Tensor]:
        """The adapter's parameters."""
        return [p for p in self.model.parameters() if p.requires_grad]

    @property
    def fingerprint(self) -> str:
        """Over a sample of every weight, the adapter's among them."""
        digest = hashlib.blake2b(digest_size=16)
        for name, p in self.model.named_parameters():
            digest.update(f"{name} {p.dtype} {tuple(p.shape)}".encode())
            flat = p.detach().flatten()
            digest.update(flat[:: max(1, flat.numel() // 64)].float().cpu().numpy().tobytes())
        return digest.hexdigest()

    def load(self, folder: Path) -> None:
        """Take over the weights that :meth:`save` wrote, for the same model and with the same rank.

        Raises:
            StartError: they cannot be read, or are of other layers.
        """
        try:
            weights = load_file(folder / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise StartError(f"{folder} is no adapter that can be read ({error}): name another folder") from error
        expected = get_peft_model_state_dict(self.model, save_embedding_layers=False)
        if {name: w.shape for name, w in weights.items()} != {name: w.shape for name, w in expected.items()}:
            raise StartError(f"{folder} is an adapter of another model or of other layers: name another, or --model")
        set_peft_model_state_dict(self.model, weights)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Set the adapter's parameters.

        Raises:
            KeyError: some are missing.
        """
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                if p.requires_grad:
                    p.copy_(state[name])

    def scale(self, factor: float) -> None:
        """Multiply what the adapter adds to the frozen weights: 1 as it was trained, 0 for nothing."""
        for module in self.model.modules():
            if isinstance(module, LoraLayer):
                module.set_scale("default", factor)

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

    def save(self, folder: Path) -> None:
        """Write what peft reads, in float16, which halves it and rounds by 2^-11 at most; as it was trained.

        Each file appears whole, so that a reader meanwhile gets the old weights or the new ones.
        """
        folder.mkdir(parents=True, exist_ok=True)
        # False: an embedding is never trained, and "auto" would ask the hub about the model's name.
        state = get_peft_model_state_dict(self.model, save_embedding_layers=False)
        weights = {name: tensor.detach().half().cpu().contiguous() for name, tensor in state.items()}
        self.save_scale(folder, 1.0)
        write_atomically(folder / WEIGHTS, save(weights, {"format": "pt"}))

    def save_scale(self, folder: Path, factor: float) -> None:
        """Multiply the alpha of a folder's adapter by a factor; its weights stay."""
        config = copy.copy(self.model.peft_config["default"])
        config.base_model_name_or_path, config.inference_mode = self.name, True
        config.target_modules = sorted(config.target_modules)
        config.lora_alpha = round(factor * config.lora_alpha, 9)
        with TemporaryDirectory() as scratch:
            config.save_pretrained(scratch)
            write_atomically(folder / CONFIG, (Path(scratch) / CONFIG).read_bytes())
