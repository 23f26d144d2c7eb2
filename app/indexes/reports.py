"""Report of the model that writes keys."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from models.retrieval.loading import LoadedKeyModel


class KeyModelReport(BaseModel):
    """The model that wrote the keys."""

    name: str
    family: Literal["causal", "encoder-decoder"]
    adapter: str | None = Field(description="the adapter added to its weights, or null")
    note: str | None = Field(description="what is missing for good answers, or null")
    calibrated: bool = Field(description="whether `confidence` was fitted on held-out questions")
    tokenizer: str = Field(description="fingerprint that an index must have been built with")
    fingerprint: str = Field(description="over configuration, weights, tokenizer and precision")
    precision: str
    device: str


def model_report(model: LoadedKeyModel) -> KeyModelReport:
    """Report of the model that wrote the keys."""
    note = None
    if model.adapter is None and model.tokenizer.family == "causal":
        note = "no adapter: a language model that was not trained on questions and keys ranks keys poorly"
    return KeyModelReport(
        name=model.name,
        family=model.tokenizer.family,
        adapter=None if model.adapter is None else model.adapter.name,
        note=note,
        calibrated=model.confidence is not None,
        tokenizer=model.tokenizer.fingerprint,
        fingerprint=model.fingerprint,
        precision=model.precision,
        device=model.device,
    )
