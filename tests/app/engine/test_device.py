"""What a device cannot do is never told as the model's fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.main import cli
from app.main import create_app
from app.settings.settings import Settings
from app.web.problems import Fault
from models.language.forward import layer
from tests.app.web.test_bad_input import assert_problem
from tests.support.live import until

AWAY = "cuda:99"
"""A device that no machine has."""


def test_the_service_names_the_device(settings: Settings) -> None:
    faults: list[Fault] = []
    with TestClient(create_app(settings.model_copy(update={"device": AWAY}), on_failure=faults.append)) as client:
        until(lambda: faults)
        assert (faults[0].field, faults[0].code) == ("CHAINWRIGHT_DEVICE", "unusable-device")
        problem = assert_problem(client.get("/ready"), 503)
        assert AWAY in problem["detail"] and "CHAINWRIGHT_DEVICE" in problem["detail"]
        assert "CHAINWRIGHT_MODEL" not in problem["detail"] and problem["errors"][0]["code"] == "unusable-device"


@pytest.mark.parametrize(
    ("variable", "value"),
    [("CHAINWRIGHT_DEVICE", AWAY), (layer.LAYERS_SWITCH, "perhaps")],
    ids=["device", "layers"],
)
def test_commands_end_in_one_line_that_names_the_variable(
    variable: str, value: str, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"MODEL": str(model_folder), "STATE_DIR": str(tmp_path), "REDIS_URL": "off"}.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", text)
    monkeypatch.setenv(variable, value)
    ended = CliRunner().invoke(cli, ["score", "今天。"])
    (line,) = ended.stderr.splitlines()
    assert ended.exit_code == 2 and line.startswith(f"Error: {variable}: ") and value in line


def test_models_tells_what_computes(client: TestClient) -> None:
    (model,) = client.get("/v1/models").json()["models"]
    assert model["computing"] == {
        "instructions": layer.instructions(),
        "layers": None if layer.library() is None else layer.build(),
        "products": "float32 by onednn" if model["computing"]["products"].endswith("onednn") else "float32 by torch",
    }
