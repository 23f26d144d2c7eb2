"""The way of a request to the sampler: few files, and none of them twice."""

from __future__ import annotations

import threading
from pathlib import Path
from types import FrameType
from typing import Any

from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from app.tasks.keywords.schemas import SentencesRequest
from tests.app.conftest import wait_until_ready

TASKS = Path(__file__).parents[4] / "app" / "tasks"


def test_a_request_passes_six_files_at_most_and_none_twice(settings: Settings, tmp_path: Path) -> None:
    frames: list[FrameType] = []

    def hook(frame: FrameType, event: str, _: Any) -> None:
        known = event != "call" or frame in frames or not Path(frame.f_code.co_filename).is_relative_to(TASKS)
        if not known and any(isinstance(value, SentencesRequest) for value in frame.f_locals.values()):
            frames.append(frame)

    threading.setprofile(hook)
    try:
        with TestClient(create_app(settings.model_copy(update={"state_dir": tmp_path}))) as client:
            wait_until_ready(client)
            body = {"keywords": ["今天", "公园"], "seed": 7, "sampler": {"chains": 2, "steps": 2}}
            assert client.post("/v1/sentences", json=body).status_code == 200
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    files = [str(Path(frame.f_code.co_filename).relative_to(TASKS)) for frame in frames]
    way = [file for at, file in enumerate(files) if at == 0 or files[at - 1] != file]
    assert way[0] == "routes.py" and way[-1] == "sampling/run.py", way
    assert len(way) <= 6 and len(set(way)) == len(way), way
