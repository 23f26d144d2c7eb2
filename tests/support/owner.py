"""A process that keeps a store server in a folder: python -m tests.app.owner FOLDER.

Prints the server's pid, or 0 if another process owns it, and stops on SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import structlog

from app.embedded.score_server import ScoreServer


async def main(folder: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    server = ScoreServer(folder, 32 << 20)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print((folder / "pid").read_text() if server.owned else 0, flush=True)
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
