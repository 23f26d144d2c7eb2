"""Embedded server of scores, which outlive the service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import structlog

from app.embedded.server import EmbeddedServer, EmbeddedServerError, EndedAtOnceError

log = structlog.get_logger()

SNAPSHOT = "scores.rdb"


@dataclass(eq=False)
class ScoreServer(EmbeddedServer):
    """Server of the scores used most, saved when it stops."""

    purpose: ClassVar[str] = "score store"
    setting: ClassVar[str] = "CHAINWRIGHT_REDIS_URL"
    data_options: ClassVar[dict[str, str]] = {
        "maxmemory-policy": "allkeys-lfu",
        # A snapshot at the end and every five minutes. The append-only file would lose less, but writes each score
        # twice and can hold up replies while it waits for the disk.
        "save": "300 1",
        "appendonly": "no",
        "dbfilename": SNAPSHOT,
        "rdbcompression": "no",
        "stop-writes-on-bgsave-error": "no",
        "maxclients": "100",
    }

    async def launch(self) -> None:
        """Start a server; without the snapshot if that is what prevents it."""
        try:
            await super().launch()
        except EndedAtOnceError as error:
            snapshot: Path = self.state / SNAPSHOT
            if not snapshot.exists():
                raise
            aside = snapshot.replace(snapshot.with_suffix(".unreadable"))
            try:
                await super().launch()
            except EmbeddedServerError:
                aside.replace(snapshot)
                raise
            log.warning("score cache starts empty, its snapshot was unreadable", reason=str(error))
