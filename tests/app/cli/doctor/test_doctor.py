"""The doctor tells what is wrong, of real files and real servers."""

from __future__ import annotations

import json
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from pydantic import SecretStr
from typer.testing import CliRunner

from app.cli.doctor import machine, places, servers, sources, weights
from app.cli.doctor.command import examine
from app.cli.doctor.finding import Finding
from app.cli.main import cli
from app.settings.settings import Settings
from app.web.access.keys import create_key
from models.language.default_weights import DEFAULT_MODEL, damaged_files
from models.language.sources import folder_of
from tests.support.model_hub import model_hub
from tests.support.valkey import Valkey


def worst(findings: Iterator[Finding]) -> Finding:
    """The gravest of what was found; each that is not well says how to mend it."""
    found = list(findings)
    assert found and all(finding.remedy for finding in found if finding.status != "ok")
    return max(found, key=lambda finding: ("ok", "warning", "error").index(finding.status))


@pytest.fixture
def free(settings: Settings) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return settings.model_copy(update={"port": probe.getsockname()[1]})


def test_a_machine_that_is_well(free: Settings) -> None:
    findings = list(examine(free))
    assert [finding for finding in findings if finding.status == "error"] == []
    assert {"Python", "packages", "device", "model", "state directory", "port", "score cache"} <= {
        finding.about for finding in findings
    }


def test_exit_code_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path) -> None:
    monkeypatch.setenv("CHAINWRIGHT_MODEL", str(model_folder))
    monkeypatch.setenv("CHAINWRIGHT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("CHAINWRIGHT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("CHAINWRIGHT_PORT", "0")
    well = CliRunner().invoke(cli, ["doctor", "--json"])
    assert well.exit_code == 0 and all(finding["found"] for finding in json.loads(well.stdout))
    monkeypatch.setenv("CHAINWRIGHT_MODEL", str(tmp_path / "nowhere"))
    ill = CliRunner().invoke(cli, ["doctor"])
    assert ill.exit_code == 1 and "error" in ill.stdout and str(tmp_path / "nowhere") in ill.stdout


def test_model_files_are_read_to_the_end(settings: Settings, model_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(model_folder, copy)
    chosen = settings.model_copy(update={"model": str(copy), "retrieval_model": None})
    assert worst(weights.model(chosen)).status == "ok"
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[:-100])
    assert "model.safetensors" in worst(weights.model(chosen)).found
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    finding = worst(weights.model(chosen))
    assert finding.status == "error" and "only pytorch_model.bin" in finding.found and "pickled" in finding.found


def test_the_default_models_checksums(settings: Settings, tmp_path: Path) -> None:
    import hashlib

    folder = tmp_path / DEFAULT_MODEL
    chosen = settings.model_copy(update={"model": "default", "cache_dir": tmp_path, "retrieval_model": None})
    assert damaged_files(tmp_path) is None and "not converted" in worst(weights.model(chosen)).found
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    digests = {"config.json": hashlib.blake2b(b"{}").hexdigest()}
    (folder / "chainwright.json").write_text(json.dumps({"blake2b": digests}))
    assert damaged_files(tmp_path) == [] and worst(weights.model(chosen)).status == "ok"
    (folder / "config.json").write_text("{ ")
    assert damaged_files(tmp_path) == ["config.json"] and worst(weights.model(chosen)).status == "warning"
    (folder / "chainwright.json").write_text("{")
    assert damaged_files(tmp_path) == ["chainwright.json"]


def test_the_source_of_models(
    settings: Settings, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def source(**values: object) -> Finding:
        return worst(sources.models(settings.model_copy(update={"offline": False, **values})))

    assert "never asked" in source(offline=True).found
    with model_hub({"team/tiny": model_folder}) as hub:
        assert re.search(r"^127\.0\.0\.1:\d+ answers in \d+ ms$", source(model_source=hub.url).found)
        named = settings.model_copy(
            update={"model": "team/tiny", "retrieval_model": None, "model_source": hub.url, "offline": False}
        )
        assert "is asked for at the start" in worst(weights.model(named)).found
        folder_of("team/tiny", hub.url)
        assert "tensors" in worst(weights.model(named)).found
    away = source(model_source=hub.url)
    assert away.status == "ok" and "nothing here waits for it" in away.found
    assert source(model_source=hub.url, model="team/tiny").status == "ok"
    assert source(model_source=hub.url, model="team/other").status == "error"
    monkeypatch.setitem(sys.modules, "modelscope_hub", None)
    assert "chainwright[modelscope]" in source(model_source="modelscope").remedy


def test_a_folder_of_models(settings: Settings, model_folder: Path, tmp_path: Path) -> None:
    chosen = settings.model_copy(
        update={"model": "team/tiny", "retrieval_model": None, "offline": False, "model_source": str(tmp_path)}
    )
    assert worst(sources.models(chosen)).status == "warning"
    missing = worst(weights.model(chosen))
    assert missing.status == "error" and "there are no models in it" in missing.found
    shutil.copytree(model_folder, tmp_path / "team" / "tiny")
    assert worst(sources.models(chosen)).found.endswith(": team/tiny") and worst(weights.model(chosen)).status == "ok"


def test_a_device_that_is_not_here(settings: Settings) -> None:
    finding = worst(machine.device(settings.model_copy(update={"device": "cuda:7"})))
    assert finding.status == "error" and "CHAINWRIGHT_DEVICE" in finding.remedy


def test_directories(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = worst(places.directories(settings.model_copy(update={"state_dir": tmp_path / "file" / "state"})))
    assert finding.status == "error" and "CHAINWRIGHT_STATE_DIR" in finding.remedy


def test_a_port_that_is_taken(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        finding = worst(places.port(settings.model_copy(update={"port": other.getsockname()[1]})))
    assert finding.status == "error" and "CHAINWRIGHT_PORT" in finding.remedy


def test_keys(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    chosen = settings.model_copy(update={"keys_file": file})
    assert worst(places.keys(chosen)).status == "error"
    assert worst(places.keys(settings.model_copy(update={"host": "0.0.0.0"}))).status == "warning"
    create_key(file, "team")
    assert worst(places.keys(chosen)).status == "ok"
    file.chmod(0o644)
    assert "chmod" in worst(places.keys(chosen)).remedy
    file.write_text("{")
    assert "damaged" in worst(places.keys(chosen)).found


def test_servers(settings: Settings, tmp_path: Path) -> None:
    def found_of(url: str) -> list[Finding]:
        return list(servers.scores(settings.model_copy(update={"redis_url": SecretStr(url)})))

    def cache(url: str) -> Finding:
        return worst(iter(found_of(url)))

    def mended_by(words: str) -> bool:
        # Of a busy machine one finding may be that the server is slow to answer.
        return any(words in finding.remedy for finding in found_of(server.url) if finding.remedy)

    assert cache("off").status == "ok"
    away = cache("redis://:secret@127.0.0.1:1/0")
    assert away.status == "error" and "secret" not in away.found
    server = Valkey(tmp_path, ("--maxmemory", "32mb", "--maxmemory-policy", "allkeys-lfu"))
    server.start()
    try:
        assert cache(server.url).status == "ok"
        shared = settings.model_copy(update={"redis_url": SecretStr(server.url)})
        assert "noeviction" in worst(servers.queue(shared)).remedy
        server.client.config_set("maxmemory-policy", "noeviction")
        assert mended_by("allkeys-lfu")
        found = [finding.found for finding in servers.queue(shared)]
        assert any("append-only" in text for text in found)
        server.client.config_set("maxmemory", 0)
        assert mended_by("maxmemory 256mb")
    finally:
        server.stop()


def test_a_collector_that_is_away(settings: Settings) -> None:
    assert list(servers.collector(settings)) == []
    away = settings.model_copy(update={"otlp_endpoint": "http://127.0.0.1:1"})
    assert worst(servers.collector(away)).status == "warning"
