"""pydocket's worker, without what chunks have no use for."""

from __future__ import annotations

from docket import Worker

if not hasattr(Worker, "_cancellation_listener"):
    raise ImportError("pydocket has no Worker._cancellation_listener: see app/jobs/work/stream_consumer.py")


class Taker(Worker):
    """Takes chunks from a docket.

    It does not listen for single tasks to be cancelled, for which pydocket's wakes the process ten times a second: a
    job is cancelled in its record, and its chunks hear of it there.
    """

    async def _cancellation_listener(self) -> None:
        session = self._processing_session
        if session is not None:
            session.cancellation_ready.set()
            await session.stopping.wait()
