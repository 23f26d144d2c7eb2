"""Schemas of a request to fill blanks, and of its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from app.languages.base import WORD_BOUNDS, Unit
from app.languages.choice import AskedLanguage
from app.languages.registry import LANGUAGES, detection
from app.tasks.infills.blanks import read_segments
from app.tasks.sampling.schemas import SamplingAnswer, SamplingRequest, Sentence
from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import Strict, Word, normalised


def _with_blanks(text: str) -> str:
    if not normalised(text).strip():
        raise UnfitError(Code.BLANK, "it is blank", "give a text with a blank, such as 我们在___散步。")
    read_segments(text)
    return text


class FillLength(Strict):
    """Bounds on what is written in a blank, both inclusive."""

    min: int = Field(default=1, ge=1, description="least length")
    max: int | None = Field(
        default=None,
        ge=1,
        description="greatest length. If left out: "
        + "".join(f"{each.character_bounds[1]} characters for {each.name}, " for each in LANGUAGES.values())
        + f"{WORD_BOUNDS[1]} words, 12 tokens, more where the blank's keywords or `min` take more",
    )
    unit: Unit | None = Field(
        default=None,
        description="characters (white space not counted), words, or the model's tokens. Default: "
        + ", ".join(f"{each.unit} for {each.name}" for each in LANGUAGES.values()),
    )


class Blank(Strict):
    """What is to stand in a blank."""

    keywords: list[Word] = Field(default_factory=list, description="words that stand in it, in this order")
    length: FillLength = Field(default_factory=FillLength)
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(normalised)] | None = Field(
        default=None,
        description="a regular expression that the whole of it matches, as `pattern` of /v1/sentences is written",
    )


class InfillsRequest(SamplingRequest):
    """Ask for a text whose blanks are filled."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "我们昨天在___散步。", "samples": 3, "seed": 7},
                {
                    "text": "She opened the ___ and found ___ inside.",
                    "blanks": [{}, {"keywords": ["letter"], "length": {"max": 4}}],
                    "seed": 7,
                },
            ]
        }
    )

    text: Annotated[str, AfterValidator(_with_blanks)] = Field(
        description="a sentence with blanks, each three underscores or more; what stands around them is kept to the "
        "character. Where it ends with a blank, the closing mark is written too"
    )
    blanks: list[Blank] | None = Field(
        default=None,
        description="what is to stand in each blank, one entry each; anything if left out. On the "
        "command line once for each blank: its keywords, or a JSON object",
    )
    language: AskedLanguage = Field(default="auto", description=f"auto: {detection('the text')}")
    forbidden: list[Word] = Field(
        default_factory=list, description="must not occur in what is written, as `forbidden` of /v1/sentences"
    )
    allow_repeats: bool = Field(
        default=False, description="whether the same words may stand twice in a row, as in /v1/sentences"
    )


class Infill(Sentence):
    """A text whose blanks are filled."""

    text: str = Field(description="the text given, its blanks filled")
    fills: list[str] = Field(description="what was written in each blank")
    fill_log_prob_per_token: float = Field(description="mean over the tokens written, in nats")


class InfillsAnswer(SamplingAnswer):
    """Filled texts, the best first."""

    infills: list[Infill]
