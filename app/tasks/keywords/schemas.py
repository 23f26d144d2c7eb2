"""What a request for sentences may say, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag

from app.tasks.sampling.schemas import MAX_SEED, Annealing, Metropolis
from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import Strict, Text, by_kind, normalised
from models.text.normalisation import normalise_name


def word(text: str) -> str:
    """A keyword or forbidden word in its normal form; see :func:`models.text.normalisation.normalise_name`.

    Raises:
        UnfitError: it is blank or has a control character.
    """
    text = normalise_name(normalised(text))
    if not text:
        raise UnfitError(Code.BLANK, "it is blank", "give a word, or leave the entry out")
    return text


Word = Annotated[str, AfterValidator(word)]


def _keyword_tag(value: Any) -> str:
    return "forms" if isinstance(value, list | tuple) else "word"


Keyword = Annotated[
    Annotated[Word, Tag("word")] | Annotated[Annotated[list[Word], Field(min_length=1)], Tag("forms")],
    Discriminator(_keyword_tag),
]
"""A word, or a list of forms any of which will do (inflections, say)."""


def _at_least_one(keywords: list[Any]) -> list[Any]:
    if not keywords:
        raise UnfitError(Code.MISSING, "there are no keywords", "give at least one")
    return keywords


class Length(Strict):
    """Bounds on the sentence's length, both inclusive."""

    min: int | None = Field(default=None, ge=1, description="least length; none if left out")
    max: int | None = Field(
        default=None,
        ge=1,
        description="greatest length. If left out: with k the length of the keywords or `min`, whichever is greater, "
        "max(24, 2k + 12) characters for Chinese, max(120, 2k + 60) characters for English, "
        "max(20, 2k + 10) words, or max(24, 2k + 12) tokens",
    )
    unit: Literal["characters", "words", "tokens"] | None = Field(
        default=None,
        description="characters (white space not counted, punctuation counted), words (punctuation not counted) or "
        "the model's tokens (closing mark counted). Default: characters for Chinese, words for English",
    )


class SentencesRequest(Strict):
    """Ask for sentences that hold all the keywords."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"keywords": ["今天", "公园", "散步"], "samples": 3, "seed": 7},
                {
                    "keywords": [["dog", "dogs"], ["run", "runs", "running", "ran"], "park"],
                    "length": {"max": 14, "unit": "words"},
                    "forbidden": ["cat"],
                    "sampler": {
                        "kind": "annealing",
                        "chains": 8,
                        "steps": 100,
                        "schedule": {"kind": "geometric", "stop": 6},
                    },
                },
            ]
        }
    )

    keywords: Annotated[list[Keyword], AfterValidator(_at_least_one)] = Field(
        description="each a word, or a list of its forms of which any will do; every one is in every sentence, as a "
        "whole word",
        json_schema_extra={"minItems": 1},
    )
    ordered: bool = Field(default=False, description="whether the keywords keep the order given")
    language: Literal["zh", "en", "auto"] = Field(
        default="auto", description="auto: Chinese if a keyword has a Han character, else English"
    )
    context: Text | None = Field(
        default=None,
        description="text that goes before the sentence and conditions its every score; if left out, a few plain "
        'sentences of the language, so that one more is likely; "" for nothing',
    )
    length: Length = Field(default_factory=Length)
    forbidden: list[Word] = Field(
        default_factory=list,
        description="must not occur, letter case ignored: as whole words in English, as any substring in Chinese",
    )
    allow_repeats: bool = Field(
        default=False,
        description="whether the same words may stand twice in a row, the same three words twice, or a longer word "
        "more than twice",
    )
    sampler: Annotated[Metropolis | Annealing, *by_kind("annealing")] = Field(
        default_factory=Annealing,
        description="how the chains move: annealing (the default) searches for likely sentences, metropolis samples",
    )
    samples: int = Field(default=1, ge=1, description="how many distinct sentences to return at most")
    select: Literal["best", "last"] = Field(
        default="best", description="best: the best of all states visited; last: where the chains ended"
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SEED,
        description="same seed and same request, same sentences; drawn and returned if left out",
    )
    seconds: Annotated[FiniteFloat, Field(gt=0, le=86_400)] | None = Field(
        default=None,
        description="sample for so long at most and answer with the best so far, `diagnostics.steps` telling how far "
        "it went; such an answer depends on the machine's speed. None: as long as the steps take",
    )
    stream: bool = Field(default=False, description="answer with server-sent events while the chains run")
