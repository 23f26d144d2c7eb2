"""What the operational routes answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from app.settings import Limits


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


class ModelCard(BaseModel):
    """A loaded model."""

    name: str
    fingerprint: str = Field(description="over configuration, weights, tokenizer and precision")
    precision: str
    device: str
    parameters: int
    batch_invariant: bool = Field(
        description="whether a sentence's score is the same to the last bit whatever else is scored beside it"
    )
    max_context: int = Field(description="most tokens that context and sentence may have together")
    vocabularies: list[str] = Field(description="names of the vocabulary masks")


class Models(BaseModel):
    """The models of this service, and the limits of its requests."""

    models: list[ModelCard]
    limits: Limits
