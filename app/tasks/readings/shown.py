"""Answers on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from app.tasks.readings.schemas import ReadingReport


def shown(answer: ReadingReport) -> RenderableType:
    """A table of the spans."""
    title = escape(answer.question) + (": no answer" if answer.no_answer else "")
    table = Table("confidence", "span", "at", title=title, title_justify="left", box=None)
    for span in answer.spans:
        places = ", ".join(f"{place.start}-{place.end}" for place in span.occurrences)
        table.add_row(f"{span.confidence:.3f}", escape(span.text), places)
    return table
