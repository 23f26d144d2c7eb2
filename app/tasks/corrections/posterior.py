"""From the paths of a lattice to edits, and how probable each is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.edits import Edit, joined
from app.tasks.corrections.kinds import Kind
from samplers.lattices.beam import Path

TEMPERATURE = 2.0
"""What densities are divided by before they are normalised: the model is surer than it is right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The log-odds that an edit of a kind is right, linear in what is known of it.

    Attributes:
        constant: of any.
        odds: weight of its log-odds among the variants.
        text: weight of the text's log-prob a character: one that is unlikely all over is of matters that the model
            knows little of, and it is wrong there more often.
        length: weight of the log of its characters: in a longer text there is more to mistake for an error.
    """

    constant: float
    odds: float
    text: float
    length: float

    def confidence(self, features: Features) -> float:
        """The probability that an edit is right."""
        logit = self.constant
        logit += self.odds * features.odds + self.text * features.text + self.length * features.length
        return 1 / (1 + math.exp(-logit))


def calibrated(common: Calibration, kinds: Mapping[Kind, float]) -> Mapping[Kind, Calibration]:
    """Calibrations of kinds that differ in the constant alone, by what each has more."""
    return {kind: replace(common, constant=common.constant + more) for kind, more in kinds.items()}


LEAST_SHARE = 1e-6
"""Share of the variants' mass nearer to 0 or 1 than which none is taken to be."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A text that may have been meant.

    Attributes:
        text: the text.
        edits: what it changes, from left to right.
        log_density: of its path, in nats.
        log_prob: of its tokens, in nats.
    """

    text: str
    edits: tuple[Edit, ...]
    log_density: float
    log_prob: float


def variants_of(paths: Sequence[Path], drawn: Drawn) -> list[Variant]:
    """What the paths of a lattice write, the densest first."""
    return [Variant(path.text, tuple(joined(_changes(path, drawn))), path.log_density, path.log_prob) for path in paths]


def posterior(variants: Sequence[Variant]) -> Mapping[Edit, float]:
    """The share of the variants' mass, at :data:`TEMPERATURE`, that has each edit."""
    densities = np.array([variant.log_density for variant in variants]) / TEMPERATURE
    shares = np.exp(densities - densities.max())
    shares /= shares.sum()
    found: dict[Edit, float] = {}
    for variant, share in zip(variants, shares.tolist(), strict=True):
        for edit in variant.edits:
            found[edit] = found.get(edit, 0.0) + share
    return found


@dataclass(frozen=True, slots=True)
class Features:
    """What the confidence in an edit hangs on, beside its kind.

    Attributes:
        odds: log-odds of the edit among the variants.
        text: log-prob of the likeliest variant, a character.
        length: log of its characters.
    """

    odds: float
    text: float
    length: float


def features(variants: Sequence[Variant]) -> list[tuple[Edit, Features]]:
    """Those of the edits of the likeliest variant, from left to right."""
    best, shares = variants[0], posterior(variants)
    characters = max(len(best.text), 1)
    text, length = best.log_prob / characters, math.log(characters)
    within = {edit: min(max(shares[edit], LEAST_SHARE), 1 - LEAST_SHARE) for edit in best.edits}
    return [(edit, Features(math.log(share / (1 - share)), text, length)) for edit, share in within.items()]


def chosen(variants: Sequence[Variant], calibration: Mapping[Kind, Calibration]) -> list[tuple[Edit, float]]:
    """The edits of the likeliest variant, each with the confidence in it, from left to right."""
    return [(edit, calibration[edit.kind].confidence(each)) for edit, each in features(variants)]


def _changes(path: Path, drawn: Drawn) -> Iterator[Edit]:
    """What each arc changes: of as many characters as it stands for, those that differ."""
    start = 0
    for arc in path.arcs:
        stop = drawn.offsets[arc.stop]
        if not arc.text:
            continue
        old, new = drawn.text[start:stop], arc.text
        if (edit := drawn.edits.get((start, stop, new))) is not None:
            yield edit
        elif old != new:
            assert drawn.kind_of is not None
            for at, (before, after) in enumerate(zip(old, new, strict=True), start):
                if before != after:
                    yield Edit(at, at + 1, after, drawn.kind_of(before, after))
        start = stop
