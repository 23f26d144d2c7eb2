"""JSON in place of pydocket's pickles.

pydocket pickles calls, so that whoever can write to the queue's server could run code in every worker. A chunk's call
is four plain values, so pydocket's modules are given a serialiser that knows no others: in 0.27 there is no option for
another one.
"""

from __future__ import annotations

import json
from typing import Any

from docket import execution, strikelist, worker


class Nothing(dict[Any, list[Any]]):
    """Arguments of a call that cannot be read: none, by position or by name."""

    def __getitem__(self, key: Any) -> list[Any]:
        """No slice of them either."""
        return []


class PlainCalls:
    """Stand-in for the module ``cloudpickle`` in pydocket."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        """JSON of a value, with the text of parts that have none, such as exceptions."""
        return json.dumps(value, default=repr).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        """Value of a JSON text; no arguments if it is not JSON, so that the call fails."""
        try:
            return json.loads(data)
        except ValueError:
            return Nothing()


def install() -> None:
    """Replace the serialiser in pydocket's modules.

    Raises:
        ImportError: a module has none to replace: this pydocket serialises in another way.
    """
    for module in (execution, strikelist, worker):
        if not hasattr(module, "cloudpickle"):
            raise ImportError(f"{module.__name__} has no cloudpickle: see app/jobs/store/plain_calls.py")
        setattr(module, "cloudpickle", PlainCalls)  # noqa: B010 - not an attribute that a module declares
