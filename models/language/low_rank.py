"""A peft adapter of low-rank updates, read without peft (LoRA, Hu et al. 2021, section 4.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    """

    factors: Mapping[str, tuple[Tensor, Tensor]]
    scale: float

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
            return None if tensors else cls(factors, config["lora_alpha"] / config["r"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, SafetensorError):
            # peft says better what is wrong.
            return None

    def updated(self, name: str, weight: Tensor) -> Tensor:
        """A weight with its update, in float32; itself if it has none."""
        if name not in self.factors:
            return weight
        first, second = self.factors[name]
        return weight.float() + second @ first * self.scale

    def fits(self, shapes: Mapping[str, list[int]]) -> bool:
        """Whether weights of these names and shapes can be updated."""
        return all(shapes.get(name) == [len(b), a.shape[1]] for name, (a, b) in self.factors.items())

    def state_dict(self) -> dict[str, Tensor]:
        """The factors by name."""
        named: dict[str, Tensor] = {}
        for name, (first, second) in self.factors.items():
            named |= {f"{name}.A": first, f"{name}.B": second}
        return named
