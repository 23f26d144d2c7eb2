"""The skeletons of CONTRIBUTING.md as modules, and a service that has them.

``python -m tests.support.skeletons MODEL STATE`` registers the task and the language, and prints what a service and a
command answer then, as a line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.pages import ROOT, blocks

TEXT = "Het meisje loopt."


def skeletons() -> dict[str, str]:
    """Code of each skeleton by the file that it names in its first line."""
    found = {}
    for block in blocks(ROOT / "CONTRIBUTING.md"):
        if block.kind == "python":
            first, _, code = block.code.partition("\n")
            found[first.removeprefix("# ")] = code
    return found


def module(name: str, **given: Any) -> ModuleType:
    """A skeleton, run as a module, with names that its own file would import."""
    made = ModuleType(Path(name).with_suffix("").as_posix().replace("/", "."))
    sys.modules[made.__name__] = made
    made.__dict__.update(given)
    exec(compile(skeletons()[name], name, "exec"), made.__dict__)
    return made


def laws() -> list[tuple[str, Callable[[], None]]]:
    """Each test of the skeletons' test classes, by name."""
    found: list[tuple[str, Callable[[], None]]] = []
    own: dict[str, Any] = {}
    for name in skeletons():
        if name.startswith("samplers/"):
            own.update(vars(module(name)))
        elif name.startswith("tests/"):
            for cls in vars(module(name, **_public(own))).values():
                if isinstance(cls, type) and cls.__name__.startswith("Test"):
                    found += [
                        (f"{cls.__name__}.{test}", getattr(cls(), test)) for test in dir(cls) if test[:5] == "test_"
                    ]
    return found


def _public(names: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if not name.startswith("__")}


def answers(model: str, state: str) -> dict[str, Any]:
    """What a service and a command answer that have the task and the language."""
    # Each list is read when what follows is imported.
    from app.languages.registry import LANGUAGES

    dutch = module("app/languages/nl.py").Dutch()
    LANGUAGES[dutch.code] = dutch
    from app.tasks import registry

    task = module("app/tasks/tokens/task.py").Tokens
    registry.TASKS += (task,)
    import typer.testing
    from starlette.testclient import TestClient

    from app.cli.main import cli
    from app.main import create_app
    from app.settings.settings import Settings
    from chainwright_client import Client
    from tests.support.live import bridge, until

    environment = {
        "CHAINWRIGHT_MODEL": model,
        "CHAINWRIGHT_STATE_DIR": state,
        "CHAINWRIGHT_DEVICE": "cpu",
        "CHAINWRIGHT_PRECISION": "float32",
        "CHAINWRIGHT_OFFLINE": "true",
        "CHAINWRIGHT_REDIS_URL": "off",
        "CHAINWRIGHT_TORCH_THREADS": "1",
    }
    command = typer.testing.CliRunner().invoke(cli, ["tokens", TEXT, "--json"], env=environment)
    assert command.exit_code == 0, (command.output, command.exception)
    given = {name.removeprefix("CHAINWRIGHT_").lower(): value for name, value in environment.items()}
    app = create_app(Settings(**given))  # type: ignore[arg-type]
    with TestClient(app) as client:
        until(lambda: client.get("/ready").status_code == 200)
        sampler = {"chains": 2, "steps": 20}
        body = {"keywords": ["meisje"], "language": "nl", "seed": 3, "length": {"min": 3}, "sampler": sampler}
        job = client.post("/v1/jobs", json={"url": task.path, "bodies": [{"texts": [TEXT]}]}).json()
        until(lambda: client.get(f"/v1/jobs/{job['id']}").json()["status"] == "completed")
        item = json.loads(client.get(f"/v1/jobs/{job['id']}/results").text)
        with Client(transport=bridge(client)) as outside:
            method = outside.tokens(texts=[TEXT]).model_dump()
        return {
            "expected": list(app.state.loading.engine.model.tokenizer.encode(TEXT)),
            "route": client.post(task.path, json={"texts": [TEXT]}).json(),
            "refused": client.post(task.path, json={"texts": []}).json(),
            "command": json.loads(command.stdout),
            "item": item["response"]["body"],
            "method": method,
            "paths": list(client.get("/openapi.json").json()["paths"]),
            "sentences": client.post("/v1/sentences", json=body).json(),
        }


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        answered = answers(*sys.argv[1:])
    print(json.dumps(answered))
