"""A language model that reads beginnings of texts token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

TokenIds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NextTokens:
    """The law of the next token.

    Attributes:
        log_probs: log p of the tokens asked for, in nats.
        entropy: of the whole law, as a share of that of the uniform one: 0 where the model is sure, 1 where any token
            will do.
    """

    log_probs: npt.NDArray[np.float64]
    entropy: float


class Prefix(Protocol):
    """A beginning of a text, read, with whatever the model keeps to read on."""

    @property
    def next(self) -> NextTokens:
        """What follows, at the tokens asked for."""
        ...


P = TypeVar("P", bound=Prefix)


class PrefixModel(Protocol[P]):
    """A causal language model under a fixed context and vocabulary mask; P is its kind of prefix."""

    async def read(
        self,
        prefixes: Sequence[P | None],
        tokens: Sequence[Sequence[int]],
        asked: Sequence[Sequence[TokenIds]],
    ) -> Sequence[Sequence[P]]:
        """Read tokens after prefixes, in one batch.

        Args:
            prefixes: those read before; None for nothing.
            tokens: token ids to read after each; none only after nothing.
            asked: for each prefix and each of its tokens the token ids whose log-probs after it are wanted; where
                nothing was read before, those at the very beginning go first.

        Returns:
            For each, the prefixes that end with each of the tokens, and before them the empty one if nothing was read.
        """
        ...
