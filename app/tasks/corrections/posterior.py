"""From the paths of a lattice to edits, and how probable each is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.kinds import Kind
from samplers.lattices.beam import Path

TEMPERATURE = 2.0
"""What densities are divided by before they are normalised: the model is surer than it is right. By it, of the edits
with a confidence of c a share of c is right (benchmarks/corrections.json)."""


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
    """

    text: str
    edits: tuple[Edit, ...]
    log_density: float


def variants_of(paths: Sequence[Path], drawn: Drawn) -> list[Variant]:
    """What the paths of a lattice write, the densest first."""
    return [Variant(path.text, tuple(_joined(_changes(path, drawn))), path.log_density) for path in paths]


def confidences(variants: Sequence[Variant]) -> Mapping[Edit, float]:
    """The posterior probability of each edit: the share of the variants' mass that has it."""
    densities = np.array([variant.log_density for variant in variants]) / TEMPERATURE
    shares = np.exp(densities - densities.max())
    shares /= shares.sum()
    found: dict[Edit, float] = {}
    for variant, share in zip(variants, shares.tolist(), strict=True):
        for edit in variant.edits:
            found[edit] = found.get(edit, 0.0) + share
    return found


def chosen(variants: Sequence[Variant], confidence: float) -> list[tuple[Edit, float]]:
    """The edits of the likeliest variant in which there is enough confidence, each with its own, from left to right."""
    known = confidences(variants)
    return [(edit, known[edit]) for edit in variants[0].edits if known[edit] >= confidence]


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
    """Edits, neighbours of one kind joined."""
    last: Edit | None = None
    for edit in edits:
        if last is not None and last.end == edit.start and last.kind == edit.kind:
            last = Edit(last.start, edit.end, last.new + edit.new, edit.kind)
            continue
        if last is not None:
            yield last
        last = edit
    if last is not None:
        yield last
