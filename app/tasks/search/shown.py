"""Answers on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.tasks.search.schemas import Explanation, QueryAnswer


def shown(answer: QueryAnswer) -> RenderableType:
    """A table of the results, and what explains them."""
    title = escape(answer.query) + (": no answer" if answer.no_answer else "")
    table = Table("confidence", "key", "values", title=title, title_justify="left", box=None)
    for result in answer.results:
        table.add_row(f"{result.confidence:.3f}", escape(result.text), escape("; ".join(result.values)))
    whys = [(result.text, result.explanation) for result in answer.results if result.explanation is not None]
    lost = [f"{key.text} ({key.source}, {key.score:.3f})" for key in answer.neighbours or ()]
    lines = ["\n  ".join((text, *_lines(why))) for text, why in whys] + [f"lost: {'; '.join(lost)}"] * bool(lost)
    return Group(table, *map(Text, lines))


def _lines(why: Explanation) -> Iterator[str]:
    """Where a key came from; its tokens, with the log-prob where there was a choice; what ranked it."""
    at = why.mention
    place = "" if at is None else f": {at.text}, characters {at.start} to {at.end}"
    yield f"from {why.source}{place}{f', for {at.name}' if at is not None and at.misspelt else ''}"
    choices = (f" {token.log_prob:.3f} of {token.allowed}" if token.allowed > 1 else "" for token in why.tokens)
    yield "tokens: " + ", ".join(repr(token.text) + choice for token, choice in zip(why.tokens, choices, strict=True))
    if why.features:
        added = (f"{feature.name} {feature.contribution:+.3f}" for feature in why.features)
        yield f"{why.order} order: {', '.join(added)}"
