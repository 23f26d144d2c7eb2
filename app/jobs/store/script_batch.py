"""Lua scripts of many tasks, sent to the server together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError

from app.jobs.store.connection import Redis


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    script: AsyncScript
    words: tuple[Any, ...]
    reply: asyncio.Future[Any]


@dataclass(eq=False)
class ScriptBatch:
    """Group commit of scripts: those called while an exchange is under way share the next one.

    See DeWitt et al., Implementation techniques for main memory database systems, SIGMOD 1984, section 5: a server
    that writes each exchange to its disk does so once for the batch, and a busy process, whose threads compete for
    the interpreter, pays for one exchange. Each script still happens as a whole or not at all, in the order of the
    calls.

    Attributes:
        redis: the server.
        scripts: by name; idempotent, since one may be sent again.
    """

    redis: Redis
    scripts: Mapping[str, AsyncScript]
    _waiting: list[_Call] = field(default_factory=list)
    _sender: asyncio.Task[None] | None = None

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Reply of a script.

        Raises:
            RedisError: it failed, or so did the exchange.
        """
        call = _Call(self.scripts[name], (len(keys), *keys, *arguments), asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await call.reply

    async def _send(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                # A call whose task was cancelled meanwhile is not sent.
                await self._exchange([call for call in waiting if not call.reply.done()])
        finally:
            self._sender = None

    async def _exchange(self, calls: Sequence[_Call]) -> None:
        try:
            replies = await self._replies(calls)
        except Exception as error:
            replies = [error] * len(calls)
        except asyncio.CancelledError:
            for call in [*calls, *self._waiting]:
                call.reply.cancel()
            self._waiting = []
            raise
        for call, reply in zip(calls, replies, strict=True):
            if call.reply.done():
                continue
            if isinstance(reply, Exception):
                call.reply.set_exception(reply)
            else:
                call.reply.set_result(reply)

    async def _replies(self, calls: Sequence[_Call]) -> list[Any]:
        replies = await self._execute(calls)
        unknown = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            for script in {calls[number].script for number in unknown}:
                await self.redis.script_load(script.script)
            again = await self._execute([calls[number] for number in unknown])
            for number, reply in zip(unknown, again, strict=True):
                replies[number] = reply
        return replies

    async def _execute(self, calls: Sequence[_Call]) -> list[Any]:
        async with self.redis.pipeline(transaction=False) as pipeline:
            for call in calls:
                pipeline.evalsha(call.script.sha, *call.words)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies
