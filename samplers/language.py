"""Language models as samplers need them: proposals and scores under one context."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt


class Alphabet(enum.Enum):
    """The set of tokens from which a position may be filled."""

    INTERIOR = "interior"
    ENDS = "ends"
    BOTH = "both"
    MASK = "mask"
    """Every token that the mask allows, those included that only spell: the language model's own row."""


@dataclass(frozen=True, slots=True)
class ProposalQuery:
    """A question about one proposal distribution q(. | x_<i) of a scored sentence.

    q is the model's next-token distribution p(. | context, x_<i), sharpened to the power
    s, restricted to an alphabet A, renormalised, and mixed with a uniform so that every reverse
    move has mass:

        q(w | x_<i) = (1 - epsilon) p(w | x_<i)^s / sum_{v in A} p(v | x_<i)^s + epsilon / |A|,   w in A.

    Attributes:
        position: i, with 0 <= i < n; q depends on tokens[:i] alone.
        epsilon: uniform share, 0 < epsilon <= 1; 0 where nothing has to be undone.
        sharpness: s >= 0; 1 is the model's own distribution, more keeps to its likelier tokens.
        alphabet: which A.
        uniform: u in [0, 1); a token is drawn by inverse CDF from it. None draws nothing.
        present: a token of A whose log q is wanted. None for no such question.
    """

    position: int
    epsilon: float
    sharpness: float = 1.0
    alphabet: Alphabet = Alphabet.INTERIOR
    uniform: float | None = None
    present: int | None = None


@dataclass(frozen=True, slots=True)
class ProposalReply:
    """The answer to a :class:`ProposalQuery`; log q in nats, None where it was not asked for."""

    token: int | None = None
    log_q: float | None = None
    log_q_present: float | None = None


class Scored(Protocol):
    """A sentence with its score, and whatever the model keeps to rescore an edit of it."""

    @property
    def tokens(self) -> tuple[int, ...]: ...

    @property
    def log_probs(self) -> npt.NDArray[np.float64]:
        """log p(x_i | context, x_<i) in nats, shape (n,), the closing token included."""
        ...


S = TypeVar("S", bound=Scored)


class LanguageModel(Protocol[S]):
    """A causal language model under a fixed context and vocabulary mask; S is its kind of scored sentence.

    Probabilities are renormalised over the tokens that the mask allows.
    """

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[S | None]) -> Sequence[S]:
        """Score sentences in one batch.

        Args:
            sentences: token ids of each.
            bases: for each, a scored sentence that it edits (shared prefixes are reused),
                or None. The result is the same either way, up to rounding.
        """
        ...

    async def propose(self, scored: Sequence[S], queries: Sequence[ProposalQuery]) -> Sequence[ProposalReply]:
        """Answer one query for each scored sentence given, in one batch; a sentence may appear often."""
        ...
