"""The trace of a run in columns, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from samplers.edits import Edit
from samplers.trace import Trace, Visit

T = TypeVar("T")

TraceLevel = Literal["none", "summary", "edits"]

MAX_TRACED_STEPS = 100_000
"""Steps of all chains together of which each edit is kept: about 4 MB of JSON."""

DECIMALS = 4
"""Of a log ratio, in nats."""


class VisitColumns(BaseModel):
    """A row for the first state of each chain and for every state that it moved to; it stays until the next."""

    chain: list[int] = Field(description="from 0")
    step: list[int] = Field(description="0 for the first state")
    log_density: list[float] = Field(description="of the target at beta = 1, in nats")
    length: list[int] = Field(description="in tokens, closing mark included")
    keyword_order: list[int] = Field(description="number of the keywords' order among all orders, from 0")


class EditColumns(BaseModel):
    """A row for every step: at `place`, `texts[new]` for `texts[old]` makes the proposed sentence, token by token."""

    moves: list[str] = Field(description="names of the moves, which rows refer to by number")
    texts: list[list[str]] = Field(description="runs of token texts, which rows refer to by number")
    first: list[int] = Field(description="number of the first state of each chain among the texts")
    chain: list[int] = Field(description="from 0")
    step: list[int] = Field(description="from 1")
    move: list[int] = Field(description="number of the move")
    place: list[int | None] = Field(
        description="position of the first token that differs; null, with `old` and `new`, if nothing else was proposed"
    )
    old: list[int | None] = Field(description="number of the tokens that the step would replace")
    new: list[int | None] = Field(description="number of the tokens in their place")
    log_ratio: list[float | None] = Field(
        description=f"log of the Metropolis-Hastings ratio to {DECIMALS} decimals, that of the first stage where the "
        "step failed there; null where nothing was scored, or for minus infinity"
    )
    stage: list[int] = Field(
        description="0: decided without a score; 1: failed in the first of two stages; 2: decided by the whole sentence"
    )
    moved: list[int] = Field(description="1 if it was accepted, else 0")


class TraceReport(BaseModel):
    """Columns of equal length, a row each; parts of a stream are joined by appending each list to its like."""

    visits: VisitColumns
    edits: EditColumns | None = Field(description='null unless `trace` is "edits"')


class Table(Generic[T]):
    """Distinct values, numbered from 0 in the order in which they came, and which of them are new."""

    def __init__(self) -> None:
        self._numbers: dict[T, int] = {}
        self._given = 0

    def number(self, value: T) -> int:
        """The number of a value."""
        return self._numbers.setdefault(value, len(self._numbers))

    def new(self) -> list[T]:
        """The values that came since the last call, in order."""
        values = list(self._numbers)[self._given :]
        self._given += len(values)
        return values


class TraceReader:
    """Reads a trace in parts, which joined are the whole.

    Args:
        trace: of the run.
        quantities: by name, those of :class:`VisitColumns`.
        piece: the text of a token.
    """

    def __init__(
        self, trace: Trace, quantities: Mapping[str, Callable[[Visit], float]], piece: Callable[[int], str]
    ) -> None:
        self._trace = trace
        self._quantities = quantities
        self._piece = piece
        self._moves, self._texts = Table[str](), Table[tuple[int, ...]]()
        self._visits = self._edits = 0

    def whole(self) -> TraceReport:
        """Everything, by chain and step, so that it does not depend on which chain was asked about first."""
        edits = self._trace.edits
        return TraceReader(self._trace, self._quantities, self._piece)._report(
            sorted(self._trace.history, key=lambda visit: (visit.chain, visit.step)),
            None if edits is None else sorted(edits, key=lambda edit: (edit.chain, edit.step)),
        )

    def part(self) -> TraceReport | None:
        """What came since the last part, as it came; None for nothing."""
        edits = self._trace.edits
        visits, rows = self._trace.history[self._visits :], None if edits is None else edits[self._edits :]
        if not visits and not rows:
            return None
        self._visits += len(visits)
        self._edits += len(rows or ())
        return self._report(visits, rows)

    def _report(self, visits: Sequence[Visit], edits: Sequence[Edit] | None) -> TraceReport:
        drawn: dict[str, Any] = {name: [of(visit) for visit in visits] for name, of in self._quantities.items()}
        chain, step = [visit.chain for visit in visits], [visit.step for visit in visits]
        columns = VisitColumns(chain=chain, step=step, **drawn)
        return TraceReport(visits=columns, edits=None if edits is None else self._columns(visits, edits))

    def _columns(self, visits: Sequence[Visit], edits: Sequence[Edit]) -> EditColumns:
        number = self._texts.number
        first = [number(visit.state.tokens) for visit in visits if visit.step == 0]
        move = [self._moves.number(edit.move) for edit in edits]
        old = [None if edit.place is None else number(edit.old) for edit in edits]
        new = [None if edit.place is None else number(edit.new) for edit in edits]
        return EditColumns(
            moves=self._moves.new(),
            texts=[list(map(self._piece, tokens)) for tokens in self._texts.new()],
            first=first,
            chain=[edit.chain for edit in edits],
            step=[edit.step for edit in edits],
            move=move,
            place=[edit.place for edit in edits],
            old=old,
            new=new,
            log_ratio=[_rounded(edit.log_ratio) for edit in edits],
            stage=[edit.stage for edit in edits],
            moved=[int(edit.moved) for edit in edits],
        )


def _rounded(log_ratio: float | None) -> float | None:
    return None if log_ratio is None or log_ratio == float("-inf") else round(log_ratio, DECIMALS)
