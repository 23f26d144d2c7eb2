"""The embedded server that keeps jobs: nothing accepted is ever dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.embedded.server import EmbeddedServer


@dataclass(eq=False)
class QueueServer(EmbeddedServer):
    """Keeps jobs in an append-only file that is on the disk before a reply is sent."""

    patience: ClassVar[float | None] = 30.0

    @property
    def purpose(self) -> str:
        """See :class:`EmbeddedServer`."""
        return "queue"

    @property
    def setting(self) -> str:
        """See :class:`EmbeddedServer`."""
        return "CHAINWRIGHT_QUEUE_URL"

    def data_options(self) -> dict[str, str]:
        """See :class:`EmbeddedServer`."""
        return {
            "maxmemory-policy": "noeviction",
            "appendonly": "yes",
            # A write took 2.9 ms instead of 0.1 ms on a virtual disk: little beside an item, and
            # then a result that was read once stays whatever happens to the machine.
            "appendfsync": "always",
            "save": "",
            "maxclients": "1000",
        }
