"""Bounds of a request's values, and the faults of those above them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import BaseModel

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


class OneOrMany(NamedTuple):
    """Two fields of a request, of which one is to be given: an item, or a list of them."""

    one: str
    many: str

    def faults(self, request: BaseModel) -> Iterator[Fault]:
        """A fault where both are given, or neither is."""
        neither = getattr(request, self.one) is None
        if neither == (getattr(request, self.many) is None):
            given = f"neither {self.one} nor {self.many} is" if neither else f"both {self.one} and {self.many} are"
            yield Fault(
                field=self.one if neither else self.many,
                code=Code.MISSING if neither else Code.CONTRADICTORY,
                message=f"{given} given",
                remedy=f"give either one {self.one} or a list of {self.many}",
            )

    def field(self, request: BaseModel, number: int) -> str:
        """Where an item stands."""
        return self.one if getattr(request, self.many) is None else f"{self.many}[{number}]"

    def bounds(self, request: BaseModel, texts: Sequence[str], characters: int) -> Iterator[Bound]:
        """The bound of each item, which is a text."""
        return (Bound(self.field(request, number), text, characters) for number, text in enumerate(texts))


def narrow(mode: str, beams: int | None, n: int, noun: str) -> Iterator[Fault]:
    """A fault of a beam that is narrower than the n results asked for."""
    if mode == "beam" and beams is not None and beams < n:
        yield Fault(
            field="beams",
            code=Code.CONTRADICTORY,
            message=f"{beams} beams cannot give {n} {noun}",
            remedy=f"give at least {n}, or leave beams out",
        )
