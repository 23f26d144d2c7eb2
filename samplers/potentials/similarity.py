"""Similarity of meaning to a given text: by a sentence encoder, or by the language model itself."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.language import LanguageModel
from samplers.potentials.base import Potential
from samplers.state import State

Vectors = npt.NDArray[np.float32]
"""One vector of length 1 a text, shape (n, d)."""


@dataclass(slots=True, eq=False)
class Similarity(Potential):
    """phi(y) = min(s(y), 1) - 1, where s is 1 for the given text.

    What was measured is remembered: a chain comes back to its states.
    """

    _measured: dict[tuple[int, ...], float] = field(default_factory=dict, init=False, repr=False)

    @abstractmethod
    async def measured(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """s of each, shape (n,)."""

    def of(self, state: State) -> float:
        """s of a state that was asked about."""
        return self._measured[state.tokens]

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Potential.log_weights`."""
        new = {state.tokens: (state, text) for state, text in zip(states, texts, strict=True)}
        new = {tokens: pair for tokens, pair in new.items() if tokens not in self._measured}
        if new:
            values = await self.measured([state for state, _ in new.values()], [text for _, text in new.values()])
            self._measured.update(zip(new, map(float, values), strict=True))
        return np.array([min(self._measured[state.tokens], 1.0) - 1 for state in states])


@dataclass(slots=True, eq=False)
class Cosine(Similarity):
    """s(y) is the cosine of the angle between the vectors that an encoder gives y and the text.

    Source: Reimers and Gurevych, Sentence-BERT: sentence embeddings using siamese BERT-networks (EMNLP 2019).

    Attributes:
        source: the text.
        encode: texts to vectors; of a text it is the same whatever stands beside it.
    """

    source: str
    encode: Callable[[Sequence[str]], Awaitable[Vectors]]
    _vector: Vectors | None = field(default=None, init=False, repr=False)

    async def measured(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Similarity.measured`."""
        if self._vector is None:
            (self._vector,) = await self.encode([self.source])
        return (await self.encode(texts)).astype(np.float64) @ self._vector.astype(np.float64)


@dataclass(slots=True, eq=False)
class Information(Similarity):
    """s(y) = i(y) / i(x), i(y) = log p(y | x) - log p(y): what the text x tells of y, as a share of what it tells of
    itself.

    i is the pointwise mutual information of the two under the language model. A sentence that is likely after any text
    has none, and one that leaves out what x says, or says something else, has less.

    Source: Li et al., A diversity-promoting objective function for neural conversation models (NAACL 2016), who rank
    replies by it.

    Attributes:
        source: x as token ids, closing token included.
        given: the model under a context that gives x and asks for it in other words.
        alone: the same under a context without it.
    """

    source: tuple[int, ...]
    given: LanguageModel[Any]
    alone: LanguageModel[Any]
    _own: float | None = field(default=None, init=False, repr=False)

    async def measured(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Similarity.measured`."""
        if self._own is None:
            (self._own,) = await self._information([self.source])
        return await self._information([state.tokens for state in states]) / max(self._own, 1.0)

    async def _information(self, sentences: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float64]:
        given, alone = await asyncio.gather(
            *(model.score(sentences, [None] * len(sentences)) for model in (self.given, self.alone))
        )
        return np.array([g.log_probs.sum() - a.log_probs.sum() for g, a in zip(given, alone, strict=True)])
