"""Schemas of a search and of its answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, FiniteFloat, Tag

from app.indexes.reports import KeyModelReport
from app.indexes.schemas import Token
from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import Strict, normalised
from models.retrieval.search.explanation import Source
from models.text.normalisation import normalise_name

LOOK_AHEAD = 1.0
"""Weight that `look_ahead: true` stands for, in nats for one unit of cover."""

SOURCE = (
    "beam or exact: the search of that mode wrote the key; name: its subject stands in the question; misspelt: it "
    "stands there with one error"
)


def _query(text: str) -> str:
    # White space becomes one space, so that a query cannot write the separator of keys.
    text = normalised(normalise_name(text))
    if not text:
        raise UnfitError(Code.BLANK, "it is blank", "give a question")
    return text


def _switch_or_weight(value: Any) -> str:
    return "switch" if isinstance(value, bool) else "weight"


Query = Annotated[str, AfterValidator(_query), Field(json_schema_extra={"minLength": 1})]
LookAhead = Annotated[
    Annotated[bool, Tag("switch")] | Annotated[Annotated[FiniteFloat, Field(ge=0, le=100)], Tag("weight")],
    Discriminator(_switch_or_weight),
]


class SearchRequest(Strict):
    """Ask for the keys that answer a question, or each of several."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": "法国的货币是什么？", "n": 3}]})

    query: Query | None = Field(default=None, description="a question; either this or `queries`")
    queries: Annotated[list[Query], Field(min_length=1)] | None = Field(
        default=None, description="questions, answered together; either this or `query`"
    )
    n: int = Field(default=3, ge=1, description="keys for each question at most")
    mode: Literal["beam", "exact"] = Field(
        default="beam",
        description="beam: the best few hypotheses of each length are kept; exact: the best hypothesis is extended "
        "first, which proves the order (`proven`), at a higher price",
    )
    beams: int | None = Field(
        default=None, ge=1, description="width of the beam, at least n; the greater of n and 3 if left out"
    )
    score: Literal["renormalised", "raw"] = Field(
        default="renormalised",
        description="what ranks: log-probs renormalised over what the index allows at each step, or over the full "
        "vocabulary, which costs more",
    )
    with_raw: bool = Field(default=False, description="give raw scores too where renormalised ones rank")
    length_penalty: Annotated[FiniteFloat, Field(ge=0, le=10)] = Field(
        default=0.0, description="keys are ranked by score / tokens ** length_penalty; 0 in exact mode"
    )
    look_ahead: LookAhead = Field(
        default=False,
        description="favour branches whose completions cover characters of the question: false, true "
        f"({LOOK_AHEAD:g}), or a weight in nats; false in exact mode",
    )
    rerank: bool = Field(
        default=True,
        description="put the beam's keys, and those whose subject stands in the question, in the order that was "
        "fitted for the model (`ranking` of the answer says whether there was one); not in exact mode",
    )
    abstain: bool = Field(
        default=False, description="answer `no_answer` where the best key is more likely wrong than the model allows"
    )
    explain: bool = Field(
        default=False,
        description="give each result its `explanation`, and each answer the keys that lost, `neighbours`; asks the "
        "model nothing more",
    )
    stream: bool = Field(default=False, description="server-sent events, one for each answered question")

    @property
    def questions(self) -> list[str]:
        """The questions, whichever way they came."""
        return self.queries or ([] if self.query is None else [self.query])

    @property
    def look_ahead_weight(self) -> float:
        """In nats."""
        return LOOK_AHEAD * self.look_ahead if isinstance(self.look_ahead, bool) else self.look_ahead


class KeyToken(Token):
    """A token of a key, or the one that ends it."""

    log_prob: float = Field(description="renormalised over what the index allows here, in nats")
    raw: float | None = Field(description="over the full vocabulary; null as `raw` of the result")
    allowed: int = Field(description="tokens that the index allows here, the one that ends a key among them")


class Mention(BaseModel):
    """Where a subject stands in the question."""

    text: str = Field(description="as it stands there")
    start: int = Field(description="first character of it in `query`, from 0")
    end: int = Field(description="character after the last")
    name: str = Field(description="the subject")
    misspelt: bool = Field(description="whether the text is one error away from the name")


class Feature(BaseModel):
    """What a feature adds to a key's score."""

    name: str
    value: float
    weight: float = Field(description="for each standard deviation from the mean of the fit")
    contribution: float = Field(description="weight * (value - mean) / deviation, in nats")


class Explanation(BaseModel):
    """Why a key was answered."""

    source: Source = Field(description=SOURCE)
    mention: Mention | None = Field(
        description="of the key's subject in the question, wherever the key came from; null if it is none of those "
        "that are looked for, of which the model's order has none"
    )
    tokens: list[KeyToken] = Field(description="of the key; their log-probs sum to `renormalised`")
    order: Literal["model", "first", "second"] = Field(
        description="what ranked the key last: the model's score, the fitted ranking, or, where that leaves several "
        "keys in doubt, the second ranking, by the question's probability too"
    )
    features: list[Feature] = Field(
        description="of that ranking, greatest contribution first; of keys in one order, scores differ as the sums of "
        "contributions do. None of the model's"
    )


class Neighbour(BaseModel):
    """A candidate that was not answered."""

    text: str
    score: float
    renormalised: float
    source: Source = Field(description=SOURCE)


class Result(BaseModel):
    """A key, and what the index has under it."""

    key: dict[str, str] = Field(
        description='the key\'s parts by name: subject, predicate and meaning ("" for none), or key'
    )
    text: str = Field(description="the key in one line: subject（meaning） predicate, or key")
    values: list[str] = Field(description="all values, in the order in which the index got them")
    score: float = Field(
        description="what ranks, length penalty and look-ahead included; under a fitted ranking the log-prob among "
        "the candidates, in nats"
    )
    renormalised: float = Field(description="log-prob of the key among all keys of the index, in nats")
    raw: float | None = Field(
        description="log-prob over the model's full vocabulary, in nats; null unless it was asked for"
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="probability that this is the key asked for: of the first result fitted on held-out questions, if "
        "the model has that (`model.calibrated`) and its ranking is used, else the model's own",
    )
    explanation: Explanation | None = Field(default=None, description="null unless asked for by `explain`")


class QueryAnswer(BaseModel):
    """What was found for one question."""

    query: str
    results: list[Result] = Field(description="best first")
    proven: bool = Field(description="exact mode: whether no key of the index ranks higher than these in their order")
    no_answer: bool = Field(description="whether the search abstains; false unless `abstain` was set")
    neighbours: list[Neighbour] | None = Field(
        default=None, description="the best candidates that were not answered; null unless asked for by `explain`"
    )


class Answered(QueryAnswer):
    """An answer in a stream."""

    number: int = Field(description="place of the question in the request, from 0")


class SearchUsage(BaseModel):
    """What a search cost."""

    questions: int
    expansions: int = Field(description="hypotheses for which the model was asked or the index walked")
    rounds: int = Field(description="turns in the model's thread, each about one forward")
    seconds: float


class SearchAnswer(BaseModel):
    """Answers in the order of the questions."""

    index: str
    ranking: Literal["fitted", "model"] = Field(description="whose order the results are in")
    answers: list[QueryAnswer]
    usage: SearchUsage
    model: KeyModelReport
