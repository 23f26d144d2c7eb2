"""N-gram overlap with a given text: a penalty on saying it in the same words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from samplers.bleu import NGrams
from samplers.potentials.base import Potential
from samplers.spans import Span
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Overlap(Potential):
    """phi(y) = -max(0, BLEU(y, x) - a), x a given text and a what is allowed.

    A penalty on n-gram overlap is what makes a search for a likely sentence of the same meaning one for a paraphrase
    (Liu et al., Unsupervised paraphrasing by simulated annealing, ACL 2020, equation 8). Here it ends at a, so that
    nothing is gained by going farther from the text than asked for.

    Attributes:
        source: x.
        units: where the units of a text stand, in order: its words, say. Letter case is ignored.
        allowed: a, from 0 to 1.
    """

    source: str
    units: Callable[[str], Sequence[Span]]
    allowed: float = 0.0
    _source: NGrams = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_source", self._read(self.source))

    def of(self, text: str) -> float:
        """BLEU of a text against the source."""
        return self._read(text).bleu(self._source)

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Potential.log_weights`."""
        return np.array([-max(0.0, self.of(text) - self.allowed) for text in texts])

    def _read(self, text: str) -> NGrams:
        return NGrams.of([text[start:stop].lower() for start, stop in self.units(text)])
