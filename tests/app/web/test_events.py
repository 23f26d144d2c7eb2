from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

from structlog.testing import capture_logs

from app.web.drain import Drain
from app.web.events import EventResponse


def test_a_stream_that_takes_turns_to_end_is_ended_before_what_it_held() -> None:
    """A client that leaves cancels whatever awaits, again and again."""
    told: list[str] = []

    async def events() -> AsyncGenerator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.sleep(60)
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            told.append("stream ended")

    async def leave() -> None:
        first = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                first.set()

        held = AsyncExitStack()
        held.callback(told.append, "let go")
        app = SimpleNamespace(state=SimpleNamespace(drain=Drain(1)))
        response = EventResponse(events(), held, ping_seconds=30)
        await asyncio.wait_for(response({"type": "http", "app": app}, receive, send), 10)

    with capture_logs() as logs:
        asyncio.run(leave())
    assert told == ["stream ended", "let go"] and logs == []
