"""A peft adapter of low-rank updates, read without peft (LoRA, Hu et al. 2021, section 4.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

_WITHOUT_EFFECT = frozenset(
    {
        "base_model_name_or_path",
        "exclude_modules",
        "inference_mode",
        "init_lora_weights",
        "layers_pattern",
        "layers_to_transform",
        "lora_dropout",
        "megatron_core",
        "peft_version",
        "qalora_group_size",
        "revision",
        "target_modules",
        "task_type",
    }
)
"""Entries of an adapter's configuration that no longer matter once it is trained."""

_ROOT = "base_model.model."


@dataclass(frozen=True, eq=False)
class LowRank:
    """Updates W + alpha / r B A of some weights.

    Attributes:
        factors: of a weight's name, A (r, in) and B (out, r).
        scale: alpha / r.
        config: the adapter's configuration.
    """

    factors: Mapping[str, tuple[Tensor, Tensor]]
    scale: float
    config: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> LowRank | None:
        """The adapter of a folder; None if it cannot be read, or is one for peft (another kind, ranks by layer)."""
        try:
            config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
            plain = {"peft_type": "LORA", "bias": "none"}
            known = _WITHOUT_EFFECT | plain.keys() | {"r", "lora_alpha"}
            if any(config[key] != value for key, value in plain.items()) or any(
                value for key, value in config.items() if key not in known
            ):
                return None
            tensors = load_file(folder / "adapter_model.safetensors")
            parts = {name.removeprefix(_ROOT).rsplit(".lora_", 1)[0] for name in tensors}
            factors = {}
            for part in parts:
                first, second = (tensors.pop(f"{_ROOT}{part}.lora_{letter}.weight") for letter in "AB")
                factors[f"{part}.weight"] = first.float(), second.float()
            return None if tensors else cls(factors, config["lora_alpha"] / config["r"], config)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, SafetensorError):
            # peft says better what is wrong.
            return None

    def updated(self, name: str, weight: Tensor) -> Tensor:
        """A weight with its update, in float32; itself if it has none."""
        if name not in self.factors:
            return weight
        first, second = self.factors[name]
        return weight.float() + second @ first * self.scale

    def fits(self, shapes: Mapping[str, tuple[int, ...]], parts: Sequence[str]) -> bool:
        """Whether weights of these names and shapes can be updated, and no linear layer's update is missing.

        Args:
            shapes: of all weights.
            parts: names of the linear layers.
        """
        return all(f"{part}.weight" in self.factors for part in parts if self._updates(part)) and all(
            shapes.get(name) == (len(b), a.shape[1]) for name, (a, b) in self.factors.items()
        )

    def _updates(self, part: str) -> bool:
        """Whether the configuration asks for an update of a linear layer, by the rules of peft."""
        layers = self.config.get("layers_to_transform")
        chosen = [layers] if isinstance(layers, int) else layers
        return (
            _names(self.config["target_modules"], part)
            and not _names(self.config.get("exclude_modules"), part)
            and (chosen is None or any(f".layers.{number}." in part for number in chosen))
        )

    def state_dict(self) -> dict[str, Tensor]:
        """The factors by name."""
        named: dict[str, Tensor] = {}
        for name, (first, second) in self.factors.items():
            named |= {f"{name}.A": first, f"{name}.B": second}
        return named


def _names(modules: Any, part: str) -> bool:
    """Whether peft's names, or its regular expression, mean this part."""
    if isinstance(modules, str):
        return modules == "all-linear" or re.fullmatch(modules, part) is not None
    return any(part == name or part.endswith(f".{name}") for name in modules or ())
