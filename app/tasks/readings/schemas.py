"""Schemas of a request for readings and of its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.engine.reports import Scorer
from app.languages.choice import AskedLanguage, LanguageCode
from app.languages.registry import detection
from app.web.schemas import AT_LEAST_ONE, GivenText, Strict, Word
from models.retrieval.reading.spans import LONGEST

Question = Annotated[Word, Field(json_schema_extra={"minLength": 1})]


class ReadingsRequest(Strict):
    """Ask questions about a passage."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"passage": "法国的货币是欧元，官方语言是法语。日本的货币是日元。", "question": "日本用什么货币？"},
                {
                    "passage": "The currency of Japan is the yen. Its official language is Japanese.",
                    "questions": ["What do people pay with in Japan?", "Who wrote Hamlet?"],
                    "n": 1,
                },
            ]
        }
    )

    passage: GivenText = Field(description="the text to be read; every answer stands in it")
    question: Question | None = Field(default=None, description="a question; either this or `questions`")
    questions: Annotated[list[Question], AT_LEAST_ONE] | None = Field(
        default=None,
        description="questions, for which the passage is read once; either this or `question`",
        json_schema_extra={"minItems": 1},
    )
    n: int = Field(default=3, ge=1, description="spans for each question at most")
    mode: Literal["beam", "exact"] = Field(
        default="beam",
        description="beam: the best few hypotheses of each length are kept; exact: the best hypothesis is extended "
        "first, which proves the order (`proven`), at a higher price",
    )
    beams: int | None = Field(
        default=None, ge=1, description="width of the beam, at least n; the greater of n and 4 if left out"
    )
    longest: int = Field(default=LONGEST, ge=1, le=300, description="characters of a span at most")
    language: AskedLanguage = Field(
        default="auto",
        description=f"of the form in which both are put to the model; auto: {detection('the question')}",
    )
    stream: bool = Field(default=False, description="server-sent events, one for each answered question")

    @property
    def asked(self) -> list[str]:
        """The questions, whichever way they came."""
        return self.questions or ([] if self.question is None else [self.question])


class Place(BaseModel):
    """Where a span stands in the passage as given."""

    start: int = Field(description="its first character, from 0")
    end: int = Field(description="the one after its last")


class SpanReport(Place):
    """A span of the passage."""

    text: str = Field(description="from `start` to `end`, as it stands there")
    score: float = Field(
        description="log-prob among all spans of the passage and, with the adapter, that it does not tell, in nats"
    )
    confidence: float = Field(ge=0, le=1, description="probability that this is the answer")
    occurrences: list[Place] = Field(
        description="all places of this text from left to right; spellings that differ in their normal form alone are "
        "one text"
    )


class ReadingReport(BaseModel):
    """The answer to a question."""

    question: str
    language: LanguageCode
    spans: list[SpanReport] = Field(description="best first; none if the passage has nothing but marks")
    no_answer: bool = Field(description="whether the confidence of the best is too low: the passage may not tell")
    proven: bool = Field(description="exact mode: whether no span ranks higher than these in their order")


class Answered(ReadingReport):
    """An answer in a stream."""

    number: int = Field(description="of the question in the request, from 0")


class ReadingsUsage(BaseModel):
    """What the readings cost."""

    spans: int = Field(description="distinct spans among which was searched")
    expansions: int = Field(description="hypotheses for which the model was asked or the trie walked")
    rounds: int = Field(description="turns in the model's thread, each about one forward")
    seconds: float


class ReadingsAnswer(BaseModel):
    """Answers in the order of the questions."""

    readings: list[ReadingReport]
    usage: ReadingsUsage
    model: Scorer
