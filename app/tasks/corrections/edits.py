"""Edits: pieces of a text, and what stands there instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.tasks.corrections.kinds import Kind


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


def applied(edits: Iterable[tuple[int, int, str]], text: str) -> str:
    """A text with edits: where each begins and ends, and what stands there instead, from left to right."""
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def joined(edits: Iterable[Edit]) -> Iterator[Edit]:
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
