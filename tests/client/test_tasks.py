"""Tasks as methods: found in the OpenAPI document, whatever they are."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel, ConfigDict

from chainwright_client import Answer, AnswerError, AsyncClient, Client


class Spelling(BaseModel):
    model_config = ConfigDict(extra="forbid")

    word: str
    upper_case: bool = False
    stream: bool = False


class Spelt(BaseModel):
    letters: list[dict[str, str]]


def toy_service() -> FastAPI:
    """A service with a task of its own, with a task below an index, and with what is no task."""
    app = FastAPI()

    def spelt(request: Spelling) -> Spelt:
        word = request.word.upper() if request.upper_case else request.word
        return Spelt(letters=[{"letter": letter} for letter in word])

    @app.post("/v1/spell-out", responses={200: {"content": {"text/event-stream": {}}}}, response_model=Spelt)
    async def spell(request: Spelling) -> Any:
        """Spell a word.

        Letter by letter.
        """
        answer = spelt(request)
        if not request.stream:
            return answer

        async def events() -> AsyncGenerator[bytes]:
            for letter in answer.letters:
                yield format_sse_event(event="letter", data_str=Answer(**letter).model_dump_json())
            yield format_sse_event(event="done", data_str=answer.model_dump_json())

        return EventSourceResponse(events())

    @app.post("/v1/indexes/{name}/members/{member}/count")
    async def count(name: str, member: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "member": member, "body": body}

    @app.post("/v1/jobs", status_code=202)
    async def submit(body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "job_1",
            "status": "completed",
            "priority": "bulk",
            "request_counts": {"total": 1, "completed": 1, "failed": 0},
            "created_at": 0,
            "expires_at": 1,
            "asked": body,
        }

    return app


def ask(call: Any) -> Any:
    """What ``call`` gets with a client of the toy service."""

    async def work() -> Any:
        async with AsyncClient(transport=httpx.ASGITransport(toy_service())) as client:
            return await call(client)

    return asyncio.run(work())


def test_a_task_that_the_client_has_never_heard_of_is_a_method() -> None:
    answer = ask(lambda client: client.spell_out(word="dog", upper_case=True))
    assert [each.letter for each in answer.letters] == ["D", "O", "G"]
    assert answer.model_dump() == {"letters": [{"letter": "D"}, {"letter": "O"}, {"letter": "G"}]}

    async def events(client: AsyncClient) -> list[Any]:
        return [(event.name, event.data) async for event in client.spell_out.stream(word="ox")]

    found = ask(events)
    assert [name for name, _ in found] == ["letter", "letter", "done"]
    assert [each.letter for each in found[-1][1].letters] == ["o", "x"] == [data.letter for _, data in found[:2]]


def test_tasks_are_listed() -> None:
    spell, count = ask(lambda client: client.tasks())
    assert (spell.name, spell.path, spell.summary, spell.streams) == (
        "spell_out",
        "/v1/spell-out",
        "Spell a word.",
        True,
    )
    assert list(spell.fields) == ["word", "upper_case"] and spell.fields["word"]["type"] == "string"
    assert list(spell.required) == ["word"]
    assert count.name == "count" and list(count.parameters) == ["index", "member"] and not count.streams


def test_what_stands_in_the_path() -> None:
    for given in ({"index": "a b"}, {"name": "a b"}):
        answer = ask(lambda client, given=given: client.count(**given, member=7, free=[1]))
        assert answer.model_dump() == {"name": "a b", "member": "7", "body": {"free": [1]}}
    with pytest.raises(TypeError, match="count needs 'index'"):
        ask(lambda client: client.count(member=7))


def test_a_job_has_the_path_of_its_task() -> None:
    job = ask(lambda client: client.job_of("spell_out", [{"word": "ox"}], priority="bulk"))
    assert job.asked.model_dump() == {"url": "/v1/spell-out", "bodies": [{"word": "ox"}], "priority": "bulk"}
    job = ask(lambda client: client.job_of("count", [{}], index="a", member=1))
    assert job.asked.url == "/v1/indexes/a/members/1/count" and job.ended


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"word": "a", "uper_case": True}, "spell_out takes no 'uper_case'; did you mean 'upper_case'?"),
        ({"word": "a", "length": 1}, "spell_out takes no 'length'; it takes word, upper_case"),
        ({"word": "a", "stream": True}, r"spell_out takes no 'stream'; call spell_out.stream\(...\)"),
    ],
)
def test_fields_that_a_task_does_not_have(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ask(lambda client: client.spell_out(**fields))


def test_names_of_no_task() -> None:
    async def known(client: AsyncClient) -> None:
        await client.tasks()
        assert {"spell_out", "count", "wait"} <= set(dir(client)) and not hasattr(client, "spel")
        client.spel  # noqa: B018

    for call in (known, lambda client: client.spel(word="a"), lambda client: client.job_of("spel", [])):
        with pytest.raises(AttributeError, match="no task 'spel'; the service has spell_out, count"):
            ask(call)
    with pytest.raises(TypeError, match="count has no stream"):
        ask(lambda client: anext(client.count.stream(index="a", member=1)))
    with Client() as client:
        assert not hasattr(client, "_repr_html_") and copy.copy(client).url == client.url


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"paths": []}', b'{"paths": {"/a": {"post": 1}}}'])
def test_no_openapi_document(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    with Client(transport=transport) as client, pytest.raises(AnswerError, match="no OpenAPI document"):
        client.spell_out(word="a")
