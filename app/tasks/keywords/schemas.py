"""Schema of a request for sentences."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from app.languages.base import TOKEN_BOUNDS, WORD_BOUNDS, Unit
from app.languages.choice import AskedLanguage
from app.languages.registry import LANGUAGES, detection
from app.tasks.sampling.schemas import SamplingRequest
from app.web.schemas import AT_LEAST_ONE, Strict, Word, normalised


def _keyword_tag(value: Any) -> str:
    return "forms" if isinstance(value, list | tuple) else "word"


Keyword = Annotated[
    Annotated[Word, Tag("word")] | Annotated[Annotated[list[Word], Field(min_length=1)], Tag("forms")],
    Discriminator(_keyword_tag),
]
"""A word, or a list of forms any of which will do (inflections, say)."""


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


class Counted(Strict):
    """How often a phrase occurs, in any letter case; what counts is what `forbidden` would find."""

    phrase: Word = Field(description="the phrase")
    at_least: int = Field(default=0, ge=0, description="least number of occurrences, which do not overlap")
    at_most: int | None = Field(default=None, ge=0, description="greatest number of occurrences; none if left out")


class WordList(Strict):
    """The words that sentences are made of, beside the keywords."""

    words: list[Word] = Field(
        min_length=1,
        max_length=20_000,
        description="the words; the first of a sentence may have a capital that it has not here. Chinese texts are "
        "cut into words by jieba",
    )
    function_words: bool = Field(
        default=False, description="whether the language's articles, pronouns, prepositions, particles may stand too"
    )


class SentencesRequest(SamplingRequest):
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

    keywords: Annotated[list[Keyword], AT_LEAST_ONE] = Field(
        description="each a word, or a list of its forms of which any will do; every one is in every sentence, as a "
        "whole word",
        json_schema_extra={"minItems": 1},
    )
    ordered: bool = Field(default=False, description="whether the keywords keep the order given")
    language: AskedLanguage = Field(default="auto", description=f"auto: {detection('a keyword')}")
    length: Length = Field(default_factory=Length)
    forbidden: list[Word] = Field(
        default_factory=list,
        description=f"must not occur, letter case ignored: as whole words in {_names(True)}, as any substring in "
        f"{_names(False)}",
    )
    starts_with: Word | None = Field(
        default=None, description="every sentence opens with this text, as it is written; a keyword in it stands there"
    )
    ends_with: Word | None = Field(
        default=None,
        description="every sentence ends with this text before its closing mark, or with the mark too if the text ends "
        "in one; a keyword in it stands there",
    )
    acrostic: Word | None = Field(
        default=None,
        description="the n-th clause of every sentence opens with the n-th character or, where words are of letters, "
        "with a word of the n-th letter, and there are no more clauses; ，；。！？,;.!? part them",
    )
    pattern: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(normalised)] | None = Field(
        default=None,
        description="a regular expression that the whole text matches, closing mark included: characters, sets, "
        "groups, | and repeats as in Python, without looking around, references back and word edges",
    )
    vocabulary: WordList | None = Field(
        default=None, description="no other words but these and the keywords; marks are free"
    )
    counts: list[Counted] = Field(
        default_factory=list, description="how often phrases occur; on the command line 'phrase>=2' and 'phrase<=3'"
    )
    allow_repeats: bool = Field(
        default=False,
        description="whether the same words may stand twice in a row, the same three words twice, or a longer word "
        "more than twice",
    )
    allow_copies: bool = Field(
        default=False,
        description="whether a sentence may have a run of words of its context: three words, in Chinese four "
        "characters, keywords aside",
    )
    once: bool = Field(
        default=True, description="whether each keyword is said once, unless `counts` asks for it more often"
    )
