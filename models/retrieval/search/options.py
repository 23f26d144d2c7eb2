"""Options and answers of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.retrieval.ranking.logit import Ranking
from models.retrieval.ranking.noisy_channel import NoisyChannel
from models.retrieval.search.explanation import Explanation

Score = Literal["raw", "renormalised"]


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search.

    A key y of m tokens, the end token included, has two scores under a question q: *raw*,
    sum log p(y_i | q, y_<i) over the full vocabulary, as Hugging Face's constrained beam search
    and GENRE have it; and *renormalised*, the same with p renormalised at each step over the
    tokens that the index allows there, as Su's: it sums to one over the index.

    Attributes:
        mode: ``beam`` keeps the best few hypotheses of each length; ``exact`` expands the best
            hypothesis first, and as scores only fall, the keys come out in their true order.
        beams: width of the beam, at least n unless a ranking adds candidates of its own.
        length_penalty: keys are ranked by score / m ** length_penalty; 0 for the sum, 1 for the mean.
        look_ahead: weight of :mod:`models.retrieval.search.look_ahead`; 0 for none.
        with_raw: give raw scores too where renormalised ones rank, at the price of the output
            layer over the full vocabulary.
        ranking: orders all keys that the beam finished, and those whose subject stands in the question,
            misspelt or not (:mod:`models.retrieval.search.mentions`); None leaves the model's order. For
            indexes of triples only.
        noisy_channel: orders the doubtful ones of these again.
        explain: give each key its explanation, and the candidates that lost; asks the model nothing more.

    Raises:
        ValueError: a value out of its range, or exact mode with a length penalty, look-ahead or a
            ranking, under which an extended hypothesis may rank higher than it did, or a noisy channel
            without a ranking.
    """

    n: int = 3  # keys wanted
    mode: Literal["beam", "exact"] = "beam"
    beams: int = 3
    score: Score = "renormalised"  # ranks the keys
    length_penalty: float = 0.0
    look_ahead: float = 0.0
    with_raw: bool = False
    most_expansions: int = 1000  # of one question in exact mode
    ranking: Ranking | None = None
    noisy_channel: NoisyChannel | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("beam", "exact"):
            raise ValueError(f"mode must be beam or exact, not {self.mode!r}")
        if self.score not in ("raw", "renormalised"):
            raise ValueError(f"score must be raw or renormalised, not {self.score!r}")
        if self.n < 1 or self.most_expansions < 1:
            raise ValueError("n and most_expansions must be at least 1")
        if self.mode == "beam" and self.beams < self.n and self.ranking is None:
            raise ValueError(f"{self.beams} beams cannot give {self.n} keys: ask for at least as many beams")
        if self.look_ahead < 0:
            raise ValueError("look_ahead must not be negative")
        if self.mode == "exact" and (self.length_penalty or self.look_ahead or self.ranking is not None):
            raise ValueError("exact mode needs length_penalty 0, look_ahead 0 and no ranking: no bound holds with them")
        if self.noisy_channel is not None and self.ranking is None:
            raise ValueError("a noisy channel orders what a ranking leaves in doubt: it needs one")

    @property
    def raw(self) -> bool:
        """Whether raw log-probabilities must be known."""
        return self.score == "raw" or self.with_raw


@dataclass(frozen=True, slots=True)
class Found:
    """A key with its scores, in nats, of :class:`SearchOptions`.

    ``rank_score`` orders the keys, length penalty and look-ahead included; of a fitted ranking it is the
    log-probability among the candidates.
    """

    number: int  # in the index
    tokens: tuple[int, ...]  # without the end token
    rank_score: float
    renormalised: float
    raw: float | None  # None where it was not asked for
    explanation: Explanation | None = None  # None where it was not asked for


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a search for one question.

    It is ``proven`` if no key of the index ranks higher than those found in their order: never of a beam,
    and not in exact mode if ``most_expansions`` were not enough.
    """

    found: tuple[Found, ...]  # best first
    expansions: int  # hypotheses for which the model was asked or the index walked
    proven: bool
    others: tuple[Found, ...] = ()  # candidates that lost, best first; none where no explanation was asked for
