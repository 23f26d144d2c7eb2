"""Consumer of a docket's stream: pydocket's worker without its listener for cancelled tasks."""

from __future__ import annotations

from docket import Worker

if not hasattr(Worker, "_cancellation_listener"):
    raise ImportError("pydocket has no Worker._cancellation_listener: see app/jobs/work/stream_consumer.py")


class StreamConsumer(Worker):
    """Consumer of chunks.

    A job is cancelled in its record, where its chunks find it, so nothing listens for single tasks to be cancelled,
    for which pydocket's worker wakes ten times a second: in 0.27 there is no option to leave it out.
    """

    async def _cancellation_listener(self) -> None:
        session = self._processing_session
        if session is not None:
            session.cancellation_ready.set()
            await session.stopping.wait()
