"""Calls travel as JSON.

pydocket pickles them, so that whoever can write to the queue's server could run code in every worker.
A chunk's call is four plain values; pydocket's modules are given a serialiser that knows no others.
"""

from __future__ import annotations

import json
from typing import Any

from docket import execution, strikelist, worker


class Nothing(dict[Any, list[Any]]):
    """No arguments, by position or by name."""

    def __getitem__(self, key: Any) -> list[Any]:
        """No slice of them either."""
        return []


class PlainCalls:
    """What stands in for the module ``cloudpickle`` in pydocket."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        """JSON; of what has none, such as an exception, the text."""
        return json.dumps(value, default=repr).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        """What was dumped; nothing of what is not JSON, so that the call fails for want of arguments."""
        try:
            return json.loads(data)
        except ValueError:
            return Nothing()


def install() -> None:
    """Give pydocket's modules the serialiser.

    Raises:
        ImportError: a module has none to replace: this pydocket serialises in another way.
    """
    for module in (execution, strikelist, worker):
        if not hasattr(module, "cloudpickle"):
            raise ImportError(f"{module.__name__} has no cloudpickle: see app/jobs/store/plain_calls.py")
        setattr(module, "cloudpickle", PlainCalls)  # noqa: B010 - not an attribute that a module declares
