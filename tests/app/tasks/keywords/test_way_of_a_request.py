"""Files of the tasks through which a request goes on its way to the chains."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from app.engine.engine import open_engine
from app.settings.settings import Settings
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences

TASKS = Path(__file__).parents[4] / "app" / "tasks"


def file_of(frame: FrameType | None) -> str | None:
    """The file of the tasks that a call comes from, however far outside them it is made."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if TASKS in path.parents:
            return str(path.relative_to(TASKS))
        frame = frame.f_back
    return None


def test_it_passes_few_files_and_none_twice(settings: Settings, tmp_path: Path) -> None:
    request = SentencesRequest.model_validate({"keywords": ["今天", "公园"], "sampler": {"chains": 1, "steps": 2}})
    seen: set[FrameType] = set()  # a coroutine is entered again and again, by one frame
    passed: list[str | None] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(TASKS)) or frame in seen:
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if any(frame.f_locals.get(name) is request for name in names):
            seen.add(frame)
            if file_of(frame) != file_of(frame.f_back):
                passed.append(file_of(frame))

    async def run() -> None:
        own = settings.model_copy(update={"state_dir": tmp_path})
        async with open_engine(own, lambda what, share: None) as engine:
            await Sentences().run(request, engine)

    # Of this thread, and of those that it starts.
    sys.setprofile(watch)
    threading.setprofile(watch)
    try:
        asyncio.run(run())
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    assert "keywords/problem.py" in passed and "sampling/prepare.py" in passed
    assert len(passed) == len(set(passed)) <= 6, passed
