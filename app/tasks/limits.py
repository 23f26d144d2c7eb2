"""Faults of values above their limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.web.codes import Code
from app.web.problems import Fault


def too_large(numbers: Iterable[tuple[str, int, int]]) -> Iterator[Fault]:
    """Faults of numbers, given with their fields and their limits."""
    for field, value, most in numbers:
        if value > most:
            message = f"{value} is above the limit of {most}"
            yield Fault(field=field, code=Code.TOO_LARGE, message=message, remedy=f"give at most {most}")


def too_many(field: str, count: int, most: int, noun: str) -> Iterator[Fault]:
    """Fault of a list that is too long."""
    if count > most:
        message = f"{count} {noun} are above the limit of {most}"
        yield Fault(field=field, code=Code.TOO_MANY, message=message, remedy=f"give at most {most} {noun}")


def too_long(texts: Iterable[tuple[str, str]], most: int) -> Iterator[Fault]:
    """Faults of texts that are too long, given with their fields."""
    for field, text in texts:
        if len(text) > most:
            message = f"{len(text)} characters are above the limit of {most}"
            yield Fault(field=field, code=Code.TOO_LONG, message=message, remedy=f"give at most {most} characters")
