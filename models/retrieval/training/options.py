"""What may be chosen about a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How an adapter is trained.

    Attributes:
        rank: LoRA's r (Hu et al., 2021).
        alpha: LoRA's scale is alpha / rank.
        dropout: LoRA's.
        learning_rate: the highest; it warms up linearly and falls linearly to a tenth.
        loraplus_ratio: the learning rate of LoRA's B over that of A (LoRA+, Hayou et al., 2024).
        optimizer: AdamW, or Adafactor, which keeps far less state.
        weight_decay: of the optimiser.
        clip: largest norm of the gradient.
        warmup: steps.
        batch: questions a step.
        epochs: passes over the questions.
        seed: of order, sampled indexes, misspellings and LoRA's start.
        siblings: weight of the loss renormalised over a sampled index.
        names: most misleading names in a sampled index.
        predicates: most misleading predicates in a sampled index.
        misspelt: share of questions whose name is misspelt by one character.
        save_every: steps between checkpoints.
        evaluate_every: steps between evaluations on dev.
        patience: evaluations without a better loss on dev after which training ends.

    Raises:
        ValueError: a value out of its range; the message names it.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    learning_rate: float = 4e-4
    loraplus_ratio: float = 4.0
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    weight_decay: float = 0.0
    clip: float = 1.0
    warmup: int = 50
    batch: int = 16
    epochs: int = 1
    seed: int = 0
    siblings: float = 1.0
    names: int = 10
    predicates: int = 20
    misspelt: float = 0.1
    save_every: int = 50
    evaluate_every: int = 200
    patience: int = 4

    def __post_init__(self) -> None:
        positive = ("rank", "alpha", "learning_rate", "loraplus_ratio", "clip", "batch", "epochs", "save_every")
        for name in (*positive, "evaluate_every", "patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be greater than 0, not {getattr(self, name)}")
        for name in ("weight_decay", "warmup", "siblings", "names", "predicates", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, as {getattr(self, name)} is")
        for name in ("dropout", "misspelt"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        if self.optimizer not in ("adamw", "adafactor"):
            raise ValueError(f"optimizer must be adamw or adafactor, not {self.optimizer!r}")
