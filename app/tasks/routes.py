"""The routes of tasks, all made by one factory."""

from __future__ import annotations

import inspect
from contextlib import AsyncExitStack
from dataclasses import fields
from typing import Any, get_type_hints

from fastapi import APIRouter, Request

from app.engine.engine import Engine
from app.engine.ready import ReadyEngine
from app.tasks.task import Task
from app.web.events import EventResponse, event
from app.web.requests import JsonRoute, problem_responses, until_disconnect


def add_route(router: APIRouter, task: type[Task[Any, Any]]) -> None:
    """Add the POST route of a task, which answers or streams."""

    async def answer(body: Any, request: Request, engine: Engine, **place: str) -> Any:
        bound = task(**place)
        if not (task.streams() and body.stream):
            return await until_disconnect(request, bound.run(body, engine))
        held = AsyncExitStack()
        try:
            events = await until_disconnect(request, held.enter_async_context(bound.stream(body, engine)))
            encoded = (event(*each) async for each in events)
            return EventResponse(encoded, held, request.app.state.settings.ping_seconds)
        except BaseException:
            await held.aclose()
            raise

    keyword = inspect.Parameter.KEYWORD_ONLY
    answer.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(inspect.Parameter(name, keyword, annotation=kind) for name, kind in place_of(task).items()),
            inspect.Parameter("body", keyword, annotation=task.request),
            inspect.Parameter("request", keyword, annotation=Request),
            inspect.Parameter("engine", keyword, annotation=ReadyEngine),
        ]
    )
    found: dict[int | str, dict[str, Any]] = {}
    if task.streams():
        streamed = {"schema": {"type": "string", "description": task.events}}
        found[200] = {"description": f"{task.found} {task.events}", "content": {"text/event-stream": streamed}}
    router.add_api_route(
        task.path,
        answer,
        methods=["POST"],
        response_model=task.answer if task.plan is None else task.answer | task.plan,
        responses=found | problem_responses(*task.statuses),
        name=task.operation or task.kind,
        summary=task.summary,
        description=inspect.cleandoc(task.description),
        tags=[task.tag],
    )


def place_of(task: type[Task[Any, Any]]) -> dict[str, Any]:
    """The parameters of a task's path with their types."""
    hints = get_type_hints(task, include_extras=True)
    return {each.name: hints[each.name] for each in fields(task)}  # type: ignore[arg-type]


def task_routes(tasks: tuple[type[Task[Any, Any]], ...]) -> APIRouter:
    """The routes of all tasks."""
    router = APIRouter(route_class=JsonRoute)
    for task in tasks:
        add_route(router, task)
    return router
