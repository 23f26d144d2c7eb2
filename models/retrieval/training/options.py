"""Options of a training."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainingOptions(BaseModel):
    """Options of a training; a value out of its range is refused by its name.

    Each field's description is also the help of its option on the command line.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rank: int = Field(default=16, gt=0, description="LoRA's r (Hu et al., 2021), of a new adapter.")
    alpha: float = Field(default=32.0, gt=0, description="LoRA's scale is alpha / rank; of a new adapter.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="LoRA's; the model's own is as it is configured.")
    learning_rate: float = Field(
        default=4e-4, gt=0, description="The highest; it warms up linearly and falls linearly to a tenth."
    )
    loraplus_ratio: float = Field(
        default=4.0, gt=0, description="Learning rate of LoRA's B over that of A (LoRA+, Hayou et al., 2024)."
    )
    optimizer: Literal["adamw", "adafactor"] = Field(
        default="adamw", description="AdamW, or Adafactor, which keeps far less state."
    )
    weight_decay: float = Field(default=0.0, ge=0, description="Of the optimiser.")
    clip: float = Field(default=1.0, gt=0, description="Largest norm of the gradient.")
    warmup: int = Field(default=50, ge=0, description="Steps until the highest learning rate.")
    batch: int = Field(default=16, gt=0, description="Questions a step.")
    epochs: int = Field(default=1, gt=0, description="Passes over the questions.")
    seed: int = Field(default=0, ge=0, description="Of order, sampled indexes, misspellings and LoRA's start.")
    siblings: float = Field(default=1.0, ge=0, description="Weight of the loss renormalised over a sampled index.")
    names: int = Field(default=10, ge=0, description="Most misleading names in a sampled index.")
    predicates: int = Field(default=20, ge=0, description="Most misleading predicates in a sampled index.")
    misspelt: float = Field(
        default=0.1, ge=0, lt=1, description="Share of questions whose name is misspelt by one character."
    )
    shrink: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Least factor on the best adapter's scale tried on dev at the end; 1 for none "
        "(WiSE-FT, Wortsman et al., 2022).",
    )
    save_every: int = Field(default=50, gt=0, description="Steps between checkpoints.")
    evaluate_every: int = Field(default=200, gt=0, description="Steps between evaluations on dev.")
    patience: int = Field(
        default=4, gt=0, description="Evaluations without a better loss on dev after which training ends."
    )
