"""A traced answer as an ArviZ DataTree, and as a netCDF file by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

from app.cli.main import cli
from chainwright_client import Client, to_arviz

CHAINS, STEPS = 3, 40
FIELDS: dict[str, Any] = {
    "keywords": ["今天", "公园"],
    "seed": 5,
    "samples": CHAINS,
    "select": "last",
    "sampler": {"kind": "metropolis", "chains": CHAINS, "steps": STEPS},
}


@pytest.fixture(scope="module")
def answer(live: str) -> Any:
    with Client(live) as client:
        return client.sentences(**FIELDS, trace="edits")


def test_draws_are_those_of_the_service(answer: Any) -> None:
    tree = to_arviz(answer)
    draws, before = tree["posterior"], tree["warmup_posterior"]
    assert dict(draws.sizes) == {"chain": CHAINS, "draw": STEPS // 2}
    assert draws["draw"].values.tolist() == list(range(STEPS // 2 + 1, STEPS + 1))
    assert before["draw"].values.tolist() == list(range(STEPS // 2 + 1))
    for sentence in answer.sentences:
        assert float(draws["log_density"].sel(chain=sentence.chain, draw=STEPS)) == pytest.approx(sentence.log_prob)
        assert int(draws["length"].sel(chain=sentence.chain, draw=STEPS)) == len(sentence.tokens)
    moved = np.hstack((tree["warmup_sample_stats"]["moved"], tree["sample_stats"]["moved"]))
    assert moved.sum() == sum(answer.trace.edits.moved) > 0
    density = np.hstack((before["log_density"], draws["log_density"]))
    assert not (np.diff(density, axis=1) != 0)[~moved[:, 1:]].any(), "a chain that did not move stays"
    assert tree.attrs["seed"] == 5 and tree.attrs["warmup"] == STEPS // 2
    assert to_arviz(answer.model_dump()).equals(tree)


def test_arviz_finds_the_figures_of_the_answer(answer: Any) -> None:
    from arviz_stats.base import array_stats

    density = to_arviz(answer)["posterior"]["log_density"].values
    assert answer.diagnostics.rhat.log_density == pytest.approx(float(array_stats.rhat(density)))
    assert answer.diagnostics.ess_bulk.log_density == pytest.approx(float(array_stats.ess(density, method="bulk")))
    assert answer.diagnostics.mcse.log_density == pytest.approx(float(array_stats.mcse(density)))


def test_without_a_trace_it_says_how_to_ask(live: str) -> None:
    with Client(live) as client:
        plain = client.sentences(**FIELDS)
        summary = client.sentences(**FIELDS, trace="summary")
    with pytest.raises(ValueError, match='trace="summary"'):
        to_arviz(plain)
    assert set(to_arviz(summary).children) == {"posterior", "warmup_posterior"}


def test_the_client_imports_arviz_only_when_it_is_asked_for() -> None:
    program = (
        "import sys, chainwright_client; print([n for n in ('arviz_base', 'xarray', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_netcdf(answer: Any, tmp_path: Path) -> None:
    saved, output = tmp_path / "answer.json", tmp_path / "chains.nc"
    saved.write_text(answer.model_dump_json(), "utf-8")
    result = CliRunner().invoke(cli, ["netcdf", str(saved), str(output)])
    assert result.exit_code == 0, result.output
    with xarray.open_datatree(output, engine="h5netcdf") as tree:
        assert tree["posterior"].equals(to_arviz(answer)["posterior"])
    for wrong in ("not JSON", "[]", json.dumps({"trace": None}), json.dumps({"trace": {}, "seed": 1})):
        saved.write_text(wrong, "utf-8")
        result = CliRunner().invoke(cli, ["netcdf", str(saved), str(output)])
        assert result.exit_code == 2 and "Error: ANSWER: it is no" in result.output
