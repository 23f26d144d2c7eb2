"""Lines of results and errors, in the order of the items."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal

from app.jobs.store.lines import is_error, undone_line
from app.jobs.store.record import Record
from app.jobs.store.store import JobStore

ITEMS_AT_A_TIME = 500
"""Items read in one exchange."""

Kind = Literal["results", "errors"]


@dataclass(frozen=True, slots=True)
class Page:
    """Page of lines.

    Attributes:
        cursor: number of the item after which the next page begins.
        more: whether there may be another page, now or once more items are done.
    """

    lines: list[str]
    cursor: int
    more: bool


async def page(store: JobStore, record: Record, kind: Kind, after: int, limit: int) -> Page:
    """Lines of items after ``after``.

    A page of a running job ends before the first item that is not done, so that the next page misses none.
    """
    lines: list[str] = []
    cursor = after
    while cursor + 1 < record.total:
        numbers = range(cursor + 1, min(cursor + 1 + ITEMS_AT_A_TIME, record.total))
        for number, line in zip(numbers, await _lines(store, record, numbers), strict=True):
            if line is None and not record.ended:
                return Page(lines, cursor, True)
            if line is not None and is_error(line) == (kind == "errors"):
                if len(lines) == limit:
                    return Page(lines, cursor, True)
                lines.append(line)
            cursor = number
    return Page(lines, cursor, not record.ended)


async def every(store: JobStore, record: Record, kind: Kind) -> AsyncGenerator[bytes]:
    """All lines so far, those behind unfinished items too."""
    for start in range(0, record.total, ITEMS_AT_A_TIME):
        found = await _lines(store, record, range(start, min(start + ITEMS_AT_A_TIME, record.total)))
        chosen = [line for line in found if line is not None and is_error(line) == (kind == "errors")]
        if chosen:
            yield "".join(f"{line}\n" for line in chosen).encode()


async def _lines(store: JobStore, record: Record, numbers: range) -> list[str | None]:
    """Stored lines; of a job that ended early, also those of its unfinished items."""
    found = await store.results(record.id, numbers)
    missing = [number for number, line in zip(numbers, found, strict=True) if line is None]
    if record.status in ("cancelled", "expired", "failed") and missing:
        entries = await store.items(record.id, missing)
        for number, entry in zip(missing, entries, strict=True):
            name = entry.custom_id if entry is not None else f"item-{number}"
            found[number - numbers.start] = undone_line(record.id, number, name, record.status)
    return found
