"""A sampling problem: all that the chains of a request need, whichever task it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.languages.base import Language, Unit
from app.tasks.sampling.choice import RankBy
from app.tasks.sampling.contexts import Contexts
from models.language.vocabulary import Vocabulary
from samplers.constraints.length import LengthBounds
from samplers.first_states import KeywordBlocks
from samplers.moves.base import Move
from samplers.state import State
from samplers.target import Target
from samplers.trace import Visit


@dataclass(frozen=True, slots=True)
class View:
    """How a task shows its sentences, where the decoded tokens are not all that there is to show.

    Attributes:
        schema: of a sentence: :class:`app.tasks.sampling.schemas.Sentence` a subclass.
        text: of a state.
        details: the other fields, of a state that the chains have seen.
        cost: what a sentence loses where minimum Bayes risk orders them, in units of BLEU from 0 to 1; a task that has
            it orders weighted sentences so unless told otherwise.
    """

    schema: type[Any]
    text: Callable[[State], str]
    details: Callable[[Visit], Mapping[str, Any]]
    cost: Callable[[Visit], float] | None = None


@dataclass(frozen=True, slots=True)
class SamplingProblem:
    """A law over sentences, the moves that walk it, and first states.

    Attributes:
        language: of the sentences.
        vocabulary: mask over which the model is renormalised.
        target: the law.
        length: bounds of the length, one of the target's constraints.
        unit: of the length.
        moves: those that can apply.
        source: keywords, or a text, from which first states are drawn.
        contexts: that sentences continue.
        max_tokens: no sentence of the support is likely to have more.
        field: of the request, to name where no first state is found.
        remedy: for that.
        options: names of the constraints that the request asks for by options.
        view: how sentences are shown; None for the decoded text.
        rank_by: order of the best of a search, unless told otherwise.
        start_beta: inverse temperature of the particles that give first states: above 1 where likely sentences are
            wanted, below where the likeliest is not.
    """

    language: Language
    vocabulary: Vocabulary
    target: Target
    length: LengthBounds
    unit: Unit
    moves: Sequence[Move]
    source: KeywordBlocks | State
    contexts: Contexts
    max_tokens: int
    field: str
    remedy: str
    options: Sequence[str] = ()
    view: View | None = None
    rank_by: RankBy = "log_density"
    # Of 1.5 and 2.5 the latter found likelier sentences on each of four hard keyword sets, one seed.
    start_beta: float = 2.5

    def text(self, state: State) -> str:
        """A state as the caller sees it."""
        return self.vocabulary.decode(state.tokens) if self.view is None else self.view.text(state)
