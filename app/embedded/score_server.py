"""The embedded server that keeps scores from one run to the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from app.embedded.server import EmbeddedServer, EmbeddedServerError, EndedAtOnceError

log = structlog.get_logger()


@dataclass(eq=False)
class StoreServer(EmbeddedServer):
    """Keeps the scores used most, and saves them when it stops."""

    @property
    def purpose(self) -> str:
        """See :class:`EmbeddedServer`."""
        return "score store"

    @property
    def setting(self) -> str:
        """See :class:`EmbeddedServer`."""
        return "CHAINWRIGHT_REDIS_URL"

    def data_options(self) -> dict[str, str]:
        """See :class:`EmbeddedServer`."""
        return {
            "maxmemory-policy": "allkeys-lfu",
            # A snapshot at the end and every five minutes. The append-only file would lose less,
            # but writes each score twice and can hold up replies while it waits for the disk.
            "save": "300 1",
            "appendonly": "no",
            "dbfilename": self._snapshot.name,
            "rdbcompression": "no",
            "stop-writes-on-bgsave-error": "no",
            "maxclients": "100",
        }

    async def launch(self) -> None:
        """Start a server; if it is the snapshot that prevents it, start one without."""
        try:
            await super().launch()
        except EndedAtOnceError as error:
            if not self._snapshot.exists():
                raise
            aside = self._snapshot.replace(self._snapshot.with_suffix(".unreadable"))
            try:
                await super().launch()
            except EmbeddedServerError:
                aside.replace(self._snapshot)
                raise
            log.warning("score store began anew, its snapshot was unreadable", reason=str(error))

    @property
    def _snapshot(self) -> Path:
        return self.state / "scores.rdb"
