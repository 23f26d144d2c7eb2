"""Schemas of a request for scores and of its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.engine.reports import Scorer, UsageReport
from app.languages.choice import AskedLanguage, LanguageCode
from app.languages.registry import detection
from app.web.schemas import AT_LEAST_ONE, GivenText, Strict, Text, normalised


def _trimmed(text: str) -> str:
    return normalised(text).strip()


class ScoreRequest(Strict):
    """Ask how likely texts are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["今天我去公园散步。", "我今天散步公园去。"]}]})

    texts: Annotated[list[Annotated[GivenText, AfterValidator(_trimmed)]], AT_LEAST_ONE] = Field(
        description="outer white space is dropped", json_schema_extra={"minItems": 1}
    )
    context: Text | None = Field(
        default=None,
        description='text that goes before each; if left out, that of /v1/sentences for the language; "" for nothing',
    )
    language: AskedLanguage = Field(default="auto", description=f"auto: for each text by itself, {detection('it')}")


class TextScore(BaseModel):
    """The score of one text, the same whatever others are sent with it."""

    text: str = Field(description="as it was scored: normalised")
    language: LanguageCode
    vocabulary: str = Field(
        description="the mask over which its probabilities are renormalised, the narrowest that spells it; scores "
        "under different masks cannot be compared"
    )
    context: str = Field(description="the text that its score is conditioned on")
    tokens: list[str] = Field(description="the text of each token")
    log_probs: list[float] = Field(description="of each token given context and the tokens before, in nats")
    log_prob: float = Field(description="their sum")
    log_prob_per_token: float = Field(description="their mean")


class ScoringModel(Scorer):
    """What scored the texts."""

    vocabulary: str | None = Field(description="that of every text, null if they differ")
    context: str | None = Field(description="that of every text, null if they differ")


class ScoreAnswer(BaseModel):
    """Scores in the order of the texts."""

    scores: list[TextScore]
    vocabulary: str | None = Field(description="that of every text, null if they differ")
    usage: UsageReport
    model: ScoringModel
