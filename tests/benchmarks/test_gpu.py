"""The benchmark for a GPU, at its small size on the CPU."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks import gpu, gpu_law, gpu_scores, gpu_speed, gpu_synchronisations
from models.language.forward.decoder import FAMILIES
from models.language.scoring.kv_cache import KVCache
from tests.support.tiny_model import EVERY_FAMILY

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    output = tmp_path_factory.mktemp("gpu") / "gpu.json"
    gpu.measure(CPU, 900.0, output)
    found: dict[str, Any] = json.loads(output.read_text("utf-8"))
    return found


def test_every_claim_holds(written: dict[str, Any]) -> None:
    assert len(written["claims"]) == 3 and all(written["claims"].values()), written["claims"]
    assert written["machine"]["device"] == "cpu" and written["machine"]["torch"] == torch.__version__


def test_scores_of_every_family_in_both_precisions(written: dict[str, Any]) -> None:
    rows = written["sections"]["scores"]
    assert {EVERY_FAMILY[row["family"]]().model_type for row in rows} > FAMILIES
    assert [row["precision"] for row in rows] == ["float32", "bfloat16"] * len(EVERY_FAMILY)
    for row in rows:
        single = row["precision"] == "float32"
        assert row["engine_max"] < (1e-4 if single else 0.5) and row["engine_mean"] <= row["engine_max"]
        assert row["bare_max"] == 0 if single else 1e-3 < row["bare_mean"] < 0.1
        assert row["read"] < 0.9, "no prefix was reused"


def test_chains_have_the_law(written: dict[str, Any]) -> None:
    (row,) = written["sections"]["law"]
    assert row["states"] == 48 and row["read"] < 0.5 and row["moved"] > 0.5
    assert 0 < row["total_variation"] < 2 * row["of_independent_draws"] < 0.3


def test_the_host_waits_as_often_for_many_chains_as_for_few(written: dict[str, Any]) -> None:
    rows = written["sections"]["synchronisations_by_operation"]
    assert [row["chains"] for row in rows] == [4, 16, 160]
    assert len({row["synchronisations"] for row in rows}) == 1
    assert 1 < rows[0]["synchronisations"] < 12
    assert rows[0]["operations"] < rows[2]["operations"]


def test_speeds_of_both_models_at_every_size(written: dict[str, Any]) -> None:
    speed = written["sections"]["speed"]
    assert speed["left_out"] == []
    assert [(row["model"], row["chains"]) for row in speed["rows"]] == [
        (model, chains) for model in ("bare", "engine") for chains in (4, 16)
    ]
    assert all(row["tokens_per_second"] > 100 for row in speed["rows"])
    for row in speed["rows"][2:]:
        assert 3 < row["tokens"] / row["chains"] < 11 and row["proposals_per_second"] > 100


@pytest.mark.parametrize(
    "wait",
    [lambda kept: kept.sum().item(), lambda kept: kept[kept > 0], lambda kept: kept.cpu()],
    ids=["item", "mask", "copy"],
)
def test_a_wait_for_each_chain_is_found(monkeypatch: pytest.MonkeyPatch, wait: Callable[[Tensor], object]) -> None:
    joined = KVCache.joined

    def waiting(self: KVCache) -> Tensor:
        kept = joined(self)
        wait(kept)
        return kept

    monkeypatch.setattr(KVCache, "joined", waiting)
    assert not gpu_synchronisations.constant(gpu_synchronisations.pretended((4, 16)))


def test_wrong_prefixes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    joined = KVCache.joined
    monkeypatch.setattr(KVCache, "joined", lambda self: joined(self).roll(1, 0))
    assert not gpu_scores.compare("llama", lambda model: model, torch.float32)["holds"]
    assert not gpu_scores.compare("llama", lambda model: model, torch.bfloat16)["holds"]
    assert not gpu_law.measure("gemma3-window", CPU, torch.float32, chains=300, steps=30)["holds"]


def test_what_time_does_not_allow_is_named() -> None:
    cells = gpu_speed.measure(
        {"tiny": gpu_speed.CPU_SHAPE}, (4, 16), CPU, torch.float32, gpu_speed.Budget(0.0), least=0.05
    )
    assert cells.rows == []
    assert cells.left_out == ["tiny: no time"]
    cells.measure({"shape": "tiny", "model": "bare", "chains": 4}, 1.0, dict, 0)
    assert cells.left_out[1:] == ["tiny bare 4: no time"]


def test_a_section_that_breaks_fails_its_claim_and_no_other() -> None:
    report = gpu.Report(None, {})
    report.add("first", lambda: 1 / 0, "it works")
    report.add("second", lambda: 1 / 0)
    report.add("third", lambda: 3, "three is three", lambda found: found == 3)
    assert report.claims == {"it works": False, "second is measured": False, "three is three": True}
    assert "ZeroDivisionError" in report.sections["first"]["error"] and report.sections["third"] == 3


def test_it_needs_torch_transformers_and_numpy_alone() -> None:
    """All else that the project depends on may be absent, but for what transformers needs itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[\[<>=; ]", one)[0].replace("-", "_") for one in project["dependencies"]}
    needed = {"numpy", "torch", "transformers"}
    needed |= {"safetensors", "httpx", "rich", "typer", "filelock", "huggingface_hub", "regex"}  # by transformers
    absent = names - needed | {"app", "starlette"}
    assert {"cachetools", "fastapi", "pydantic"} < absent
    command = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); import benchmarks.gpu"
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True, timeout=120)
