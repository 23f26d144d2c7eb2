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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"texts": ["今天我去公园散步。", "我今天散步公园去。"]},
                {"texts": ["今天我去公园散步。"], "top": 5},
            ]
        }
    )

    texts: Annotated[list[Annotated[GivenText, AfterValidator(_trimmed)]], AT_LEAST_ONE] = Field(
        description="outer white space is dropped", json_schema_extra={"minItems": 1}
    )
    context: Text | None = Field(
        default=None,
        description='text that goes before each; if left out, that of /v1/sentences for the language; "" for nothing',
    )
    language: AskedLanguage = Field(default="auto", description=f"auto: for each text by itself, {detection('it')}")
    top: int = Field(
        default=0,
        ge=0,
        le=20,
        description="list so many of the likeliest tokens at each place, and the rank and entropy there; 0 for none",
    )


class LikelyToken(BaseModel):
    """A token that the model would write at a place."""

    token: str = Field(description="its text, spelled as in `tokens`")
    log_prob: float = Field(description="given context and the tokens before, in nats")


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
    ranks: list[int] | None = Field(
        default=None,
        description="of each token, one more than the mask has likelier ones; null unless `top` is above 0",
    )
    entropies: list[float] | None = Field(
        default=None,
        description="of the law of each token given what goes before, over the whole mask, in nats; null unless `top` "
        "is above 0",
    )
    top: list[list[LikelyToken]] | None = Field(
        default=None,
        description="the likeliest tokens of the mask at each place, the best first; null unless `top` is above 0",
    )


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
