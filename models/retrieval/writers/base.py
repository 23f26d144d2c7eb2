"""Interface of models that write keys, of any family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.retrieval.writers.codec import KeyCodec


@dataclass(frozen=True, slots=True, eq=False)
class Extension:
    """A hypothesis to write on."""

    question: int  # its number in the session
    state: object | None  # keys and values of the tokens written, as the session gave them; None without any
    run: tuple[int, ...]  # (R,) tokens to write; none only where nothing is written
    asked: NDArray[np.int64]  # (A,) tokens that may follow; none where their scores are not needed


@dataclass(frozen=True, slots=True, eq=False)
class Extended:
    """A hypothesis written on.

    Log-probabilities are in nats. *Raw* ones are normalised over the full vocabulary,
    *renormalised* ones over the tokens asked for; both come from one row of logits.

    Attributes:
        written: raw ones of the run's tokens, (R,), the first of them NaN where something stood
            before the run, whose row is gone; None if raw ones were not wanted.
    """

    state: object  # keys and values up to the last token of the run
    renormalised: NDArray[np.float64]  # (A,) of the tokens asked for
    raw: NDArray[np.float64] | None  # (A,) of the tokens asked for; None if raw ones were not wanted
    written: NDArray[np.float64] | None


class Session(Protocol):
    """A batch of questions that a model has been given."""

    def extend(self, extensions: Sequence[Extension], *, raw: bool) -> list[Extended]:
        """Write on many hypotheses with as few forwards as the family allows.

        Only new tokens are fed; the keys and values of those before are reused, any number of times, so that
        hypotheses branch freely. Raw log-probabilities need the output layer over the full vocabulary for
        every new token.
        """
        ...


class KeyModel(Protocol):
    """A model that writes keys, encoder-decoder or prefix-LM."""

    @property
    def codec(self) -> KeyCodec:
        """Questions and keys in the model's tokens."""
        ...

    def read(self, questions: Sequence[str]) -> Session:
        """Begin with a batch of questions.

        Raises:
            ValueError: a question is too long for the model.
        """
        ...
