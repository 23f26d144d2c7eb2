"""From the paths of a lattice to edits, and how probable each is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.kinds import Kind
from samplers.lattices.beam import Path

TEMPERATURE = 2.0
"""What densities are divided by before they are normalised: the model is surer than it is right."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The log-odds that an edit is right, linear in what is known of it.

    Attributes:
        constant: of any.
        odds: weight of its log-odds among the variants.
        text: weight of the text's log-prob a character: one that is unlikely all over is of matters that the model
            knows little of, and it is wrong there more often.
        length: weight of the log of its characters: in a longer text there is more to mistake for an error.
        kinds: more for an edit of a kind.
    """

    constant: float
    odds: float
    text: float
    length: float
    kinds: Mapping[Kind, float]

    def confidence(self, features: Features, kind: Kind) -> float:
        """The probability that an edit is right."""
        logit = self.constant + self.kinds.get(kind, 0.0)
        logit += self.odds * features.odds + self.text * features.text + self.length * features.length
        return 1 / (1 + math.exp(-logit))


CALIBRATION = Calibration(4.116, 0.409, 0.74, -0.603, {"near_homophone": -0.735, "lookalike": -1.133})
"""Fitted to half of the development texts; benchmarks/corrections.json has how it holds on the others."""
LEAST_SHARE = 1e-6
"""Share of the variants' mass nearer to 0 or 1 than which none is taken to be."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A piece of a text, and what stands there instead.

    Attributes:
        start, end: of the piece, in characters; equal where something is put in.
        new: what stands there; empty where it is taken out.
        kind: of error that it mends.
    """

    start: int
    end: int
    new: str
    kind: Kind


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
    return [
        Variant(path.text, tuple(_joined(_changes(path, drawn))), path.log_density, path.log_prob) for path in paths
    ]


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


def chosen(variants: Sequence[Variant], confidence: float) -> list[tuple[Edit, float]]:
    """The edits of the likeliest variant in which there is enough confidence, each with its own, from left to right."""
    known = ((edit, CALIBRATION.confidence(each, edit.kind)) for edit, each in features(variants))
    return [(edit, its) for edit, its in known if its >= confidence]


def applied(edits: Iterable[tuple[int, int, str]], text: str) -> str:
    """A text with edits: where each begins and ends, and what stands there instead, from left to right."""
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _changes(path: Path, drawn: Drawn) -> Iterator[Edit]:
    """What each arc changes: of as many characters as it stands for, those that differ."""
    start = 0
    for arc in path.arcs:
        stop = drawn.offsets[arc.stop]
        if not arc.text:
            continue
        old, new = drawn.text[start:stop], arc.text
        if (kind := drawn.kinds.get((start, stop, new))) is not None:
            yield Edit(start, stop, new, kind)
        else:
            for at, (before, after) in enumerate(zip(old, new, strict=True), start):
                if before != after:
                    yield Edit(at, at + 1, after, drawn.kind_of(before, after))
        start = stop


def _joined(edits: Iterator[Edit]) -> Iterator[Edit]:
    """Edits, neighbours of one kind joined but for what a request lists."""
    last: Edit | None = None
    for edit in edits:
        if last is not None and last.end == edit.start and last.kind == edit.kind != "listed":
            last = Edit(last.start, edit.end, last.new + edit.new, edit.kind)
            continue
        if last is not None:
            yield last
        last = edit
    if last is not None:
        yield last
