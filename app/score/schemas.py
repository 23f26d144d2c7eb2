"""What a request for scores may say, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.codes import Code
from app.problems import UnfitError
from app.sentences.schemas import ModelReport, Strict, Text, UsageReport, normalised


def _text(text: str) -> str:
    text = normalised(text).strip()
    if not text:
        raise UnfitError(Code.BLANK, "it is blank", "give a text, or leave the entry out")
    return text


def _at_least_one(texts: list[Any]) -> list[Any]:
    if not texts:
        raise UnfitError(Code.MISSING, "there are no texts", "give at least one")
    return texts


class ScoreRequest(Strict):
    """Ask how likely texts are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": ["今天我去公园散步。", "我今天散步公园去。"]}]})

    texts: Annotated[list[Annotated[str, AfterValidator(_text)]], AfterValidator(_at_least_one)] = Field(
        description="outer white space is dropped", json_schema_extra={"minItems": 1}
    )
    context: Text | None = Field(
        default=None,
        description='text that goes before each; if left out, that of /v1/sentences for the language; "" for nothing',
    )
    language: Literal["zh", "en", "auto"] = Field(
        default="auto", description="auto: Chinese if a text has a Han character, else English"
    )


class TextScore(BaseModel):
    """The score of one text."""

    text: str
    tokens: list[str] = Field(description="the text of each token")
    log_probs: list[float] = Field(description="of each token given context and the tokens before, in nats")
    log_prob: float = Field(description="their sum")
    log_prob_per_token: float = Field(description="their mean")


class ScoreAnswer(BaseModel):
    """Scores in the order of the texts.

    Probabilities are renormalised over the tokens of one vocabulary, the narrowest that spells
    all the texts; scores under different vocabularies or models cannot be compared.
    """

    scores: list[TextScore]
    vocabulary: str = Field(description="the mask over which probabilities are renormalised")
    usage: UsageReport
    model: ModelReport
