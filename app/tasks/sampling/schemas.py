"""What a request that samples may say of its chains, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat

from app.engine.reports import ModelReport, UsageReport
from app.tasks.sampling.choice import RankBy
from app.tasks.sampling.contexts import AskedContext, Proposals
from app.tasks.sampling.convergence import Convergence
from app.tasks.sampling.kernels import Annealing
from app.tasks.sampling.kinds.union import Sampler
from app.tasks.sampling.trace import TraceLevel, TraceReport
from app.web.schemas import Strict

MAX_SEED = 2**63 - 1


class SamplingRequest(Strict):
    """Options of every request that samples."""

    context: AskedContext | None = Field(
        default=None,
        description="text that goes before the sentence and conditions its every score; if left out, a few plain "
        'sentences of the language, so that one more is likely; "" for nothing. Or by its kind: pool (for each chain '
        "a short text of another register, which the seed deals), examples (worked ones, then the request's own "
        "words), instruction (the chat template of an instruction-tuned model), text",
    )
    proposals: Proposals = Field(
        default="context",
        description="what the moves draw words from, which changes how fast a chain mixes and no law: the context, or "
        "examples or an instruction that name the words to come",
    )
    sampler: Sampler = Field(
        default_factory=Annealing,
        description="how the chains move: annealing (the default) searches for likely sentences, metropolis, "
        "tempering, gibbs and particle_gibbs sample; or draws that are no chains: rejection, importance, smc",
    )
    samples: int = Field(default=1, ge=1, description="how many distinct sentences to return at most")
    select: Literal["best", "last"] = Field(
        default="best",
        description="best: the best of all states visited; last: where the chains ended (of tempering, those at the "
        "first beta), and of weighted sentences those drawn by weight",
    )
    rank_by: RankBy | None = Field(
        default=None,
        description="order of the sentences: log_density, what the chains sample or search by; log_prob_per_token; "
        "naturalness, which a model fitted to readers' marks tells of the 64 of the greatest density; of the first 16 "
        "of these the consensus of contexts of the pool that did not make them, or their "
        "acceptability to these, which asks above all whether they are complete; or minimum_bayes_risk: how much they "
        "have in common with the others drawn, of weighted ones the 64 heaviest, of chains where they ended. If left "
        "out, for the best of a search naturalness of sentences with the default model and log_density of all else, "
        "otherwise log_prob_per_token",
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
    trace: TraceLevel = Field(
        default="none",
        description="summary: answer with log-density, length and keyword order of each chain at each of its states; "
        "edits: with every step besides, accepted or not",
    )
    dry_run: bool = Field(
        default=False,
        description="answer with a SamplingPlan, or with what is wrong with the request, and sample nothing; whether "
        "first states can be found shows in a run alone",
    )


class Sentence(BaseModel):
    """A sentence found."""

    text: str
    log_prob: float = Field(
        description="sum over the tokens, closing mark included, in nats; renormalised over the vocabulary"
    )
    log_prob_per_token: float = Field(description="mean over the tokens, in nats")
    log_density: float = Field(description="of the target at beta = 1, in nats: log_prob and the rewards asked for")
    tokens: list[str] = Field(description="the text of each token")
    chain: int = Field(description="chain that found it, from 0")
    step: int = Field(description="step at which it was found; 0 is a first state, or the draft shown before them")
    log_weight: float | None = Field(
        default=None, description="importance and smc: log of its weight in nats, on one scale with the others"
    )
    naturalness: float | None = Field(
        default=None,
        description="probability that a reader finds it natural, by odds fitted to readers' marks; null where "
        "`rank_by` asks for another order, and beyond the best 64",
    )
    consensus: float | None = Field(
        default=None,
        description="mean log-prob per token under contexts of the pool that did not make it; null where `rank_by` "
        "asks for no second opinion, and beyond the best 16",
    )
    acceptability: float | None = Field(
        default=None,
        description="what annealing searches for by default, under these contexts, in nats; null as `consensus`",
    )
    utility: float | None = Field(
        default=None,
        description="minimum_bayes_risk: its mean BLEU against those sentences; null where `rank_by` asks for another "
        "order, and for those 12 nats lighter than the heaviest, which come last",
    )


class MoveReport(BaseModel):
    """How a move fared."""

    tried: int = Field(description="times chosen")
    proposed: int = Field(description="times it applied, so that a state was proposed")
    moved: int = Field(description="times the chain went to another state by it")
    acceptance: float = Field(description="moved / tried")


class DrawsReport(BaseModel):
    """How draws fared that are no chains; null for what a sampler has not."""

    drawn: int = Field(description="sentences drawn, those given up on the way included")
    kept: int = Field(description="of these, sentences that hold every constraint")
    ceiling: float | None = Field(
        description="rejection: log of the greatest weight, by which draws were thinned, in nats; 0 if each sentence "
        "has one labelling"
    )
    ess: float | None = Field(description="importance, smc: effective number of sentences, (sum w)^2 / sum w^2")
    log_z: float | None = Field(
        description="importance, smc: log of an estimate of the target's sum, in nats; the estimate itself is "
        "unbiased. Null if no sentence was found"
    )
    resampled: int | None = Field(description="importance, smc: stages after which only some beginnings were kept")


class Counts(BaseModel):
    """What the chains did."""

    acceptance: dict[str, MoveReport] = Field(
        description="by move; exchanges of tempering by their betas, tried once for each of the two chains"
    )
    states_visited: int = Field(description="distinct token sequences over all chains")
    seconds: float = Field(description="from the start of sampling to its end, waiting for a turn excluded")
    steps: int = Field(description="steps of each chain; draws of rejection, keywords placed and 1 of importance, smc")
    draws: DrawsReport | None = Field(default=None, description="of rejection, importance and smc")


class Diagnostics(Convergence, Counts):
    """How the run went."""


class SamplingAnswer(BaseModel):
    """How a run went that found sentences."""

    rank_by: RankBy = Field(description="their order")
    constraints: list[str] = Field(
        default_factory=list, description="constraints that every sentence holds because an option asks for them"
    )
    diagnostics: Diagnostics
    usage: UsageReport
    model: ModelReport
    seed: int
    trace: TraceReport | None = Field(default=None, description="null unless asked for by `trace`")


class SentencesAnswer(SamplingAnswer):
    """Sentences, the best first."""

    sentences: list[Sentence]


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
