"""Schemas of a request for paraphrases and of its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.engine.reports import Scorer, UsageReport
from app.languages.base import Unit
from app.languages.choice import AskedLanguage, LanguageCode
from app.languages.registry import LANGUAGES, detection
from app.tasks.paraphrases.kept import Kind
from app.tasks.sampling.choice import RankBy
from app.tasks.sampling.kernels import Annealing
from app.tasks.sampling.kinds.sequential import SmcOptions
from app.tasks.sampling.kinds.union import Sampler
from app.tasks.sampling.plan import SamplingPlan
from app.tasks.sampling.schemas import SamplingAnswer, SamplingRequest, Sentence, StepReport
from app.tasks.sampling.trace import TraceReport
from app.web.schemas import AT_LEAST_ONE, GivenText, Strict, Word

Strength = Literal["light", "medium", "strong"]
"""How far from a text its paraphrases go."""


def drawing() -> SmcOptions:
    """The default sampler of languages whose paraphrases are drawn."""
    return SmcOptions(kind="smc", particles=64, closing_weight=3.0)


def searching() -> Annealing:
    """That of the others, and what takes its place for a text of which no particle came through."""
    return Annealing(steps=10, particles=24, length_reward=0.5, surprisal_power=1.0, closing_weight=1.0)


class ParaphraseLength(Strict):
    """Bounds on the length of a paraphrase, both inclusive."""

    min: int | None = Field(default=None, ge=1, description="least length; three quarters of the text's if left out")
    max: int | None = Field(default=None, ge=1, description="greatest length; one and a half of the text's if left out")
    unit: Unit | None = Field(
        default=None,
        description="characters (white space not counted, punctuation counted), words or the model's tokens. Default: "
        + ", ".join(f"{each.unit} for {each.name}" for each in LANGUAGES.values()),
    )


class ParaphrasesRequest(SamplingRequest):
    """Ask for texts to be said in other words."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"texts": ["What is the best way to learn a new language quickly?"], "samples": 3, "seed": 7},
                {
                    "texts": ["公司昨天宣布将在上海建设三座新工厂。"],
                    "keep": ["新工厂"],
                    "strength": "strong",
                    "seed": 7,
                },
            ]
        }
    )

    texts: Annotated[list[GivenText], AT_LEAST_ONE] = Field(
        description="sentences, each paraphrased by itself", json_schema_extra={"minItems": 1}
    )
    keep: list[Word] = Field(
        default_factory=list,
        description="words that every paraphrase has as they stand in its text; each stands in some text",
    )
    change: list[Kind] = Field(
        default_factory=list,
        description="kinds of words that may change too, which else are kept: numbers, names, and negations, of which "
        "there are as many as in the text",
    )
    sampler: Sampler = Field(
        default_factory=drawing,
        description="as of sentences; if left out, of English texts smc with 64 particles and the closing mark counted "
        "three times, and of others, or where none comes through, an annealing of ten steps for the log-prob, half a "
        "nat for each token, 24 particles",
    )
    rank_by: RankBy | None = Field(
        default=None,
        description="as of sentences, but that minimum_bayes_risk, by which each loses 0.1, 0.14 or 0.25 of its "
        "overlap for the strength, is the default of weighted sentences",
    )
    strength: Strength = Field(
        default="medium",
        description="how far from the text: up to which overlap nothing is lost; light 0.7, medium 0.5, strong 0.3",
    )
    length: ParaphraseLength = Field(default_factory=ParaphraseLength)
    similarity: Literal["auto", "encoder", "model"] = Field(
        default="auto",
        description="what measures the meaning: a sentence encoder, the language model itself, or auto: the encoder if "
        "one is installed",
    )
    language: AskedLanguage = Field(default="auto", description=f"auto: for each text by itself, {detection('it')}")


class Paraphrase(Sentence):
    """A text in other words."""

    similarity: float = Field(description="of meaning to the text, 1 for the text itself; see `measure`")
    overlap: float = Field(description="sentence BLEU against the text, 1 for the text itself")


class TextParaphrases(SamplingAnswer):
    """The paraphrases of a text, the best first, and how its chains went."""

    source: str = Field(description="the text as given")
    language: LanguageCode
    kept: list[str] = Field(description="what stays as it is")
    texts: list[Paraphrase]


class ParaphrasesAnswer(BaseModel):
    """Paraphrases in the order of the texts."""

    paraphrases: list[TextParaphrases]
    measure: str = Field(
        description="what measured the similarity: the encoder by its name (a cosine), or the language model "
        "(log p(y | x) - log p(y), as a share of what it is for the text itself)"
    )
    usage: UsageReport
    model: Scorer
    seed: int = Field(description="of the first text; each text takes the next")


class ParaphrasesPlan(BaseModel):
    """Answer to a dry run: what would be done for each text."""

    plans: list[SamplingPlan]


class OfText(BaseModel):
    """Data of an event, and the text that it is of."""

    number: int = Field(description="of the text in the request, from 0")
    data: Paraphrase | StepReport | TraceReport | TextParaphrases
