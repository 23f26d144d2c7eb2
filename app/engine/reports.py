"""Reports on the model and its work in answers."""

from __future__ import annotations

from pydantic import BaseModel, Field


class UsageReport(BaseModel):
    """Work that the language model did for this request."""

    lm_calls: int = Field(description="forwards")
    lm_tokens: int = Field(description="tokens fed, those reused excluded")
    recalled: int = Field(description="scores and rows answered without the model: from memory or the score store")


class Scorer(BaseModel):
    """The language model that scored."""

    name: str
    fingerprint: str = Field(description="over configuration, weights, tokenizer and precision")
    precision: str
    device: str


class ModelReport(Scorer):
    """What scored the sentences."""

    vocabulary: str = Field(description="the mask over which probabilities are renormalised")
    context: str | None = Field(
        description="the text that every score is conditioned on; null where chains have different ones"
    )
    contexts: list[str] | None = Field(
        default=None, description="the text of each chain, where they have different ones"
    )
    proposals: str | None = Field(
        default=None, description="the text that proposals are conditioned on, where it is another than that of scores"
    )
