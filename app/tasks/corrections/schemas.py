"""Schemas of a request for corrections and of its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.engine.reports import Scorer, UsageReport
from app.languages.choice import AskedLanguage, LanguageCode
from app.languages.registry import detection
from app.tasks.corrections.kinds import CONFIDENCE, SINGLE_CONFIDENCE, Kind
from app.web.schemas import AT_LEAST_ONE, GivenText, Strict, Text, Word


class Pair(Strict):
    """What is often written for something else."""

    old: Word = Field(description="as it is written")
    new: Word = Field(description="what is meant by it, at times")


class CorrectionsRequest(Strict):
    """Ask for the errors of texts to be mended."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"texts": ["我们昨天去公圆散步。", "今天天气很好。"]},
                {"texts": ["王小明今天没来上学。"], "names": ["王晓明"], "protect": ["上学"], "confidence": 0.8},
            ]
        }
    )

    texts: Annotated[list[GivenText], AT_LEAST_ONE] = Field(
        description="each comes back in its place, changed or not", json_schema_extra={"minItems": 1}
    )
    language: AskedLanguage = Field(default="auto", description=f"auto: for each text by itself, {detection('it')}")
    kinds: Annotated[list[Kind], AT_LEAST_ONE] | None = Field(
        default=None,
        description="errors to look for; if left out, in Chinese homophone, near_homophone, lookalike and listed, in "
        "English all of its own. Of Chinese, homophone: a character of the same pinyin, tones aside; near_homophone: "
        "of a similar one; lookalike: of a similar shape; variant: another form of the same character (著 and 着); "
        "missing, redundant: a word, or a part of one, that is wanting or too much; function_word: one in another's "
        "place; reordered: two words that have changed places; punctuation: ，。、 for one another, or ， wanting. "
        "Of English, spelling: a word spelled much like it; inflection: "
        "another form of the word; article, preposition: another, "
        "one wanting or too much. Of both, listed: pairs and names of this request. homophone alone keeps the sound: "
        "胡面 may become 湖面, never 画面",
    )
    protect: list[Word] = Field(
        default_factory=list, description="words that stay as they are wherever they stand; each stands in some text"
    )
    edits: list[Pair] = Field(default_factory=list, description="pairs of your own, likely wherever `old` stands")
    names: list[Word] = Field(
        default_factory=list,
        description="proper names, thousands if need be: kept where they stand, and likely where what stands differs "
        "from one by what sounds or looks alike, in English by a letter",
    )
    confidence: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description=f"least confidence of an edit that is made; more changes less; if left out {CONFIDENCE}, and "
        f"{SINGLE_CONFIDENCE} for missing, redundant, reordered, function_word and punctuation",
    )
    alternatives: int = Field(default=3, ge=0, le=16, description="other readings of a text to list at most")
    context: Text | None = Field(
        default=None,
        description="text that goes before each; if left out, in Chinese of a few sentences each on everyday matters, "
        "health, law and in letters those after which its beginning is likeliest, in English a few plain sentences; "
        '"" for nothing',
    )
    stream: bool = Field(default=False, description="answer with server-sent events as texts are done")


class EditReport(BaseModel):
    """A change."""

    start: int = Field(
        description="first character of the text as given that it replaces, from 0; where `new` is put in"
    )
    end: int = Field(description="the one after the last; `start` if nothing is replaced")
    old: str
    new: str
    kind: Kind
    confidence: float = Field(
        description="posterior probability of the edit, calibrated: of those with a confidence of 0.9 about nine in "
        "ten are right"
    )


class Alternative(BaseModel):
    """Another reading of a text."""

    target: str
    log_density: float = Field(
        description="in nats: the language model's log-prob and the log-weights of what is changed; the difference to "
        "another of the same text counts"
    )


class Correction(BaseModel):
    """A text and what was meant by it."""

    source: str = Field(description="as given")
    target: str = Field(description="with the edits made")
    changed: bool
    edits: list[EditReport] = Field(description="from left to right")
    alternatives: list[Alternative] = Field(description="the densest other readings, the text as given among them")
    language: LanguageCode


class CorrectionReport(BaseModel):
    """A text that is done, of a stream."""

    number: int = Field(description="of the text in the request, from 0")
    correction: Correction


class CorrectionsAnswer(BaseModel):
    """Corrections in the order of the texts."""

    corrections: list[Correction]
    usage: UsageReport
    model: Scorer
