"""A language in which errors are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.languages.base import Language
from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.posterior import Calibration
from app.tasks.corrections.proposals import Propose, nothing
from models.language.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of the lattices of its texts.

    Attributes:
        kinds: of errors that are looked for.
        pairs: what is often written, and what is meant by it.
        names: that may be meant.
        protected: words that stay as they are.
    """

    kinds: frozenset[Kind]
    pairs: Sequence[tuple[str, str]] = ()
    names: Sequence[str] = ()
    protected: Sequence[str] = ()


class Lattices(Protocol):
    """Lattices of what texts may have been meant to be."""

    def draw(self, text: str) -> Drawn:
        """The lattice of a text in its normal form.

        Raises:
            SpellingError: the vocabulary cannot write it.
        """
        ...


@dataclass(frozen=True, slots=True)
class CorrectedLanguage:
    """A language in which errors are looked for.

    Attributes:
        language: the language.
        kinds: of errors that are looked for unless others are asked for.
        optional: kinds that are looked for only if asked for.
        contexts: of different registers; a text goes on from the one after which its beginning is likeliest.
        calibration: how sure edits of each kind are.
        lattices: makes those of a request; may read tables.
        single: kinds whose edits are judged each by itself, not in a lattice.
        propose: those edits.
        piece: most characters that are corrected in one piece: keys and values are kept of every reading of it.
    """

    language: Language
    kinds: Sequence[Kind]
    optional: Sequence[Kind]
    contexts: Sequence[str]
    calibration: Mapping[Kind, Calibration]
    lattices: Callable[[Vocabulary, Wanted], Lattices]
    piece: int
    single: Sequence[Kind] = ()
    propose: Propose = nothing
