"""What a request for sentences may say, and what it is answered."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag

from app.web.codes import Code
from app.web.problems import UnfitError
from models.text.normalisation import normalise, normalise_name

MAX_SEED = 2**63 - 1


class Strict(BaseModel):
    """A part of a request: unknown fields and quoted numbers are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def normalised(text: str) -> str:
    """The normal form of a text; see :func:`models.text.normalisation.normalise`.

    Raises:
        UnfitError: a control character other than tab and line ends, or half a surrogate pair.
    """
    for at, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            code = Code.NOT_UNICODE if unicodedata.category(character) == "Cs" else Code.CONTROL_CHARACTER
            raise UnfitError(code, f"character {at} is the control character U+{ord(character):04X}", "remove it")
    return normalise(text)


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
Text = Annotated[str, AfterValidator(normalised)]


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


def by_kind(default: str) -> tuple[Any, ...]:
    """Annotations of a union whose members are told apart by `kind`, which may be left out for one of them."""

    def filled(value: Any) -> Any:
        return {"kind": default, **value} if isinstance(value, dict) else value

    def without_discriminator(schema: dict[str, Any]) -> None:
        # OpenAPI's names a field that every member requires; that one member matches, `oneOf` says by itself.
        schema.pop("discriminator", None)

    return Field(discriminator="kind", json_schema_extra=without_discriminator), BeforeValidator(filled)


Weight = Annotated[FiniteFloat, Field(ge=0, le=1e6)]


class Moves(Strict):
    """Weights of the moves; they need not sum to 1. A move that cannot apply is left out."""

    replace: Weight = Field(default=0.5, description="replace one token")
    insert: Weight = Field(default=0.2, description="insert a token; with `delete` or not at all")
    delete: Weight = Field(default=0.2, description="delete a token; with `insert` or not at all")
    swap: Weight = Field(default=0.05, description="exchange two keywords (if unordered and two or more)")
    reform: Weight = Field(default=0.05, description="change a keyword's form (if one has several)")


Beta = Annotated[FiniteFloat, Field(ge=0, le=1000)]
PositiveBeta = Annotated[FiniteFloat, Field(gt=0, le=1000)]


class Ramp(Strict):
    """Inverse temperature from `start` to `stop` in equal differences or equal ratios."""

    kind: Literal["linear", "geometric"] = Field(default="linear", description="linear if left out")
    start: PositiveBeta = Field(default=1.0, description="beta of the first step")
    stop: PositiveBeta = Field(default=4.0, description="beta of the last step")


class Listed(Strict):
    """Inverse temperatures as given, stretched evenly over the steps."""

    kind: Literal["listed"]
    betas: list[Beta] = Field(min_length=1, max_length=10_000)


Schedule = Annotated[Ramp | Listed, *by_kind("linear")]


Reward = Annotated[FiniteFloat, Field(ge=-100, le=100)]
Drafts = Annotated[int, Field(ge=1, le=64)]


class Metropolis(Strict):
    """Metropolis-Hastings: samples the language model to the power beta under the constraints."""

    kind: Literal["metropolis"]
    chains: int = Field(default=8, ge=1, description="chains that run side by side")
    steps: int = Field(default=100, ge=0, description="steps of each chain")
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    length_reward: Reward = Field(default=0.0, description="nats added to the log-density for every token")
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")
    delayed: bool = Field(
        default=True,
        description="accept in two stages, the first by the edit and two tokens after it: the same law with fewer "
        "tokens read; a chain accepts somewhat less often",
    )
    moves: Moves = Field(default_factory=Moves)


class Annealing(Strict):
    """Simulated annealing: searches for the likeliest sentence as beta rises."""

    kind: Literal["annealing"] = Field(default="annealing", description="annealing if left out")
    chains: int = Field(default=8, ge=1, description="chains that run side by side")
    steps: int = Field(default=100, ge=0, description="steps of each chain")
    schedule: Schedule = Field(default_factory=Ramp)
    length_reward: Reward = Field(
        default=3.0,
        description="nats a token, added to the log-density times beta: tokens that cost less pay, so the "
        "search is for a high log-prob per token rather than for few tokens; 0 searches for the mode",
    )
    drafts: Drafts | None = Field(
        default=None,
        description="first states that each chain draws to start from the best; if left out, the chains share 32, "
        "4 each at most",
    )
    delayed: bool = Field(
        default=True,
        description="accept in two stages, the first by the edit and two tokens after it: the same law with fewer "
        "tokens read; a chain accepts somewhat less often",
    )
    moves: Moves = Field(default_factory=Moves)


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


class Sentence(BaseModel):
    """A sentence found."""

    text: str
    log_prob: float = Field(
        description="sum over the tokens, closing mark included, in nats; renormalised over the vocabulary"
    )
    log_prob_per_token: float = Field(description="mean over the tokens, in nats: what sentences are ranked by")
    tokens: list[str] = Field(description="the text of each token")
    chain: int = Field(description="chain that found it, from 0")
    step: int = Field(description="step at which it was found; 0 is the first state")


class MoveReport(BaseModel):
    """How a move fared."""

    tried: int = Field(description="times chosen")
    proposed: int = Field(description="times it applied, so that a state was proposed")
    moved: int = Field(description="times the chain went to another state by it")
    acceptance: float = Field(description="moved / tried")


class Diagnostics(BaseModel):
    """How the run went."""

    acceptance: dict[str, MoveReport] = Field(description="by move")
    states_visited: int = Field(description="distinct token sequences over all chains")
    seconds: float = Field(description="from the start of sampling to its end, waiting for a turn excluded")
    steps: int = Field(description="steps of each chain")


class UsageReport(BaseModel):
    """Work that the language model did for this request."""

    lm_calls: int = Field(description="forwards")
    lm_tokens: int = Field(description="tokens fed, those reused excluded")
    recalled: int = Field(description="scores and rows answered without the model: from memory or the score store")


class Scorer(BaseModel):
    """The language model that scored."""

    name: str
    fingerprint: str = Field(description="over configuration, weights, tokenizer and precision")
    precision: str
    device: str


class ModelReport(Scorer):
    """What scored the sentences."""

    vocabulary: str = Field(description="the mask over which probabilities are renormalised")
    context: str = Field(description="the text that every score is conditioned on")


class SentencesAnswer(BaseModel):
    """Sentences, most fluent first."""

    sentences: list[Sentence]
    diagnostics: Diagnostics
    usage: UsageReport
    model: ModelReport
    seed: int


class ChainReport(BaseModel):
    """Where one chain stands."""

    text: str
    log_prob: float
    log_prob_per_token: float
    step: int = Field(description="steps it has taken; chains may be a few steps apart")
    moved: bool = Field(description="whether its last step moved it")


class StepReport(BaseModel):
    """Data of a `step` event."""

    step: int = Field(description="steps that every chain has taken at least")
    steps: int = Field(description="how many there will be")
    chains: list[ChainReport]
