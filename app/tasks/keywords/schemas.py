"""What a request for sentences may say, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag

from app.languages.base import TOKEN_BOUNDS, WORD_BOUNDS, Unit
from app.languages.choice import AskedLanguage
from app.languages.registry import LANGUAGES, detection
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


def _most(bounds: tuple[int, int]) -> str:
    return f"max({bounds[0]}, 2k + {bounds[1]})"


def _names(whole_words: bool) -> str:
    """The languages whose forbidden words are whole words, or any substrings."""
    chosen = (each for each in LANGUAGES.values() if (each.forbidden_edges is not None) is whole_words)
    return " and ".join(each.name for each in chosen)


class Length(Strict):
    """Bounds on the sentence's length, both inclusive."""

    min: int | None = Field(default=None, ge=1, description="least length; none if left out")
    max: int | None = Field(
        default=None,
        ge=1,
        description="greatest length. If left out: with k the length of the keywords or `min`, whichever is greater, "
        + "".join(f"{_most(each.character_bounds)} characters for {each.name}, " for each in LANGUAGES.values())
        + f"{_most(WORD_BOUNDS)} words, or {_most(TOKEN_BOUNDS)} tokens",
    )
    unit: Unit | None = Field(
        default=None,
        description="characters (white space not counted, punctuation counted), words (punctuation not counted) or "
        "the model's tokens (closing mark counted). Default: "
        + ", ".join(f"{each.unit} for {each.name}" for each in LANGUAGES.values()),
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
    language: AskedLanguage = Field(default="auto", description=f"auto: {detection('a keyword')}")
    context: Text | None = Field(
        default=None,
        description="text that goes before the sentence and conditions its every score; if left out, a few plain "
        'sentences of the language, so that one more is likely; "" for nothing',
    )
    length: Length = Field(default_factory=Length)
    forbidden: list[Word] = Field(
        default_factory=list,
        description=f"must not occur, letter case ignored: as whole words in {_names(True)}, as any substring in "
        f"{_names(False)}",
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
