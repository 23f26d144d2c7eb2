"""What a request that samples may say of its chains, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat

from app.engine.reports import ModelReport, UsageReport
from app.web.schemas import Strict, by_kind

MAX_SEED = 2**63 - 1


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
