"""Bounds of a request's values, and the faults of those above them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from app.web.codes import Code
from app.web.problems import Fault


class Bound(NamedTuple):
    """The most that a field may be: a number, or the length of a text or a list.

    Attributes:
        field: to name in a fault.
        value: of the request; None is within every bound.
        most: the bound.
        noun: items of a list, in the plural.
    """

    field: str
    value: int | str | Sequence[object] | None
    most: int
    noun: str = "items"


def above(bounds: Iterable[Bound]) -> Iterator[Fault]:
    """A fault for each value above its bound."""
    for field, value, most, noun in bounds:
        if value is None or (size := value if isinstance(value, int) else len(value)) <= most:
            continue
        if isinstance(value, int):
            code, message, remedy = Code.TOO_LARGE, f"{size} is", f"give at most {most}"
        else:
            code, noun = (Code.TOO_LONG, "characters") if isinstance(value, str) else (Code.TOO_MANY, noun)
            message, remedy = f"{size} {noun} are", f"give at most {most} {noun}"
        yield Fault(field=field, code=code, message=f"{message} above the limit of {most}", remedy=remedy)
