"""Methods that both clients have, written once as steps: blocking in one, awaited in the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from chainwright_client.exchange import Many, One, emitted

if TYPE_CHECKING:
    from chainwright_client.clients import AsyncClient, Client

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


class Method(Generic[P, A, B]):
    """Steps as a method: it gives A in the client that blocks, and B in the one for asyncio."""

    def __init__(self, steps: Callable[..., Any], perform: Callable[[Any, Any], Any]) -> None:
        self.steps = steps
        self.__doc__ = steps.__doc__
        self._perform = perform

    @overload
    def __get__(self, client: Client, kind: type) -> Callable[P, A]: ...
    @overload
    def __get__(self, client: AsyncClient, kind: type) -> Callable[P, B]: ...
    @overload
    def __get__(self, client: None, kind: type) -> Self: ...
    def __get__(self, client: Any, kind: type) -> Any:
        if client is None:
            return self
        return wraps(self.steps)(lambda *args, **kwargs: self._perform(client, self.steps(client, *args, **kwargs)))


def single(steps: Callable[Concatenate[Any, P], One[T]]) -> Method[P, T, Awaitable[T]]:
    """Method that returns what its steps return."""
    return Method(steps, lambda client, made: client._first(emitted(made)))


def series(steps: Callable[Concatenate[Any, P], Many[T]]) -> Method[P, Generator[T], AsyncGenerator[T]]:
    """Method that generates what its steps emit."""
    return Method(steps, lambda client, made: client._drive(made))
