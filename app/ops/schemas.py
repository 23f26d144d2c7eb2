"""Answers of the operational routes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.engine.reports import Scorer
from app.settings.settings import Limits


class Health(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class StoreReport(BaseModel):
    """Where scores are kept at this moment."""

    kept: Literal["redis", "memory", "nowhere"]
    redis: Literal["closed", "open", "half-open"] | None = Field(
        default=None,
        description="the circuit breaker before Redis: closed if it is asked, open or half-open while it is away",
    )


class Ready(BaseModel):
    """The model is loaded, and requests are taken."""

    status: Literal["ready"] = "ready"
    model: str
    fingerprint: str
    store: StoreReport


class Computing(BaseModel):
    """What computes scores; by another, their last bits may differ."""

    model_config = ConfigDict(from_attributes=True)

    instructions: str | None = Field(
        description="a CPU's instruction set as PyTorch uses it, such as avx2; null elsewhere"
    )
    layers: str | None = Field(
        description="build of the compiled layers: any, avx2 or avx512; null where tensor operations do their work"
    )
    products: str = Field(description="in which precision matrices are multiplied, and by which library")


class ModelCard(Scorer):
    """A loaded model."""

    computing: Computing
    parameters: int
    batch_invariant: bool = Field(
        description="whether a sentence's score is the same to the last bit whatever else is scored beside it"
    )
    max_context: int = Field(description="most tokens that context and sentence may have together")
    vocabularies: list[str] = Field(description="names of the vocabulary masks")


class ListedModel(BaseModel):
    """A loaded model, as OpenAI's clients read it."""

    id: str = Field(description="its name")
    object: Literal["model"] = "model"
    created: int = Field(default=0, description="not known: 0")
    owned_by: Literal["chainwright"] = "chainwright"


class Models(BaseModel):
    """The models of this service, and the limits of its requests."""

    object: Literal["list"] = "list"
    data: list[ListedModel] = Field(description="the same models, as OpenAI's clients read them")
    models: list[ModelCard]
    limits: Limits
