"""Models by name from a mirror of the hub, ModelScope and a folder: the libraries' own downloads, over loopback."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from models.language import sources
from models.language.loading import LoadingError, load
from models.language.sources import folder_of
from tests.support import tiny_service as tiny
from tests.support.model_hub import ModelHub, model_hub

NAME = "team/tiny"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("whole"), ["\n"])


@pytest.fixture
def hub(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    """A hub with one model, nothing of which is in a cache, and what must not be fetched beside it."""
    for variable in ("HF_TOKEN", "MODELSCOPE_API_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "home"))
    served = shutil.copytree(whole, tmp_path / "served")
    (served / "pytorch_model.bin").write_bytes(b"pickled")
    with model_hub({NAME: served}) as server:
        yield server


def refusal(name: str, source: str, *, offline: bool = False) -> str:
    with pytest.raises(LoadingError) as refused:
        folder_of(name, source, offline=offline)
    told = str(refused.value)
    assert "\n" not in told
    return told


def away() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def same(found: Path, whole: Path) -> bool:
    return all((found / file.name).read_bytes() == file.read_bytes() for file in whole.iterdir())


def test_a_mirror_gives_a_model_that_is_then_here(hub: ModelHub, whole: Path, tmp_path: Path) -> None:
    loaded = load(NAME, cache=tmp_path, progress=lambda what, share: None, device="cpu", model_source=hub.url)
    assert loaded.name == NAME
    plain = load(str(whole), cache=tmp_path, progress=lambda what, share: None, device="cpu")
    assert loaded.fingerprint == plain.fingerprint
    assert not any("pytorch_model" in path for _, path, _ in hub.asked), "pickled weights are not fetched"
    before = len(hub.asked)
    found = folder_of(NAME, hub.url, offline=True)
    assert len(hub.asked) == before and same(found, whole)
    assert folder_of(NAME, away()) == found, "a source that is away is not needed for what is here"
    assert folder_of(NAME, offline=True) == found, "the hub and its mirrors share a cache"


def test_a_stored_token_goes_to_no_mirror(hub: ModelHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("hf_stored")
    folder_of(NAME, hub.url)
    assert {token for _, _, token in hub.asked} == {None}
    hub.asked.clear()
    monkeypatch.setenv("HF_TOKEN", "hf_given")
    folder_of(NAME, hub.url)
    assert {token for _, _, token in hub.asked} == {"Bearer hf_given"}


def test_what_a_mirror_has_not_and_one_that_is_away(hub: ModelHub, monkeypatch: pytest.MonkeyPatch) -> None:
    host = hub.url.removeprefix("http://")
    assert f"{host} has none of this name" in refusal("team/other", hub.url)
    nobody = away()
    assert f"{nobody.removeprefix('http://')} does not answer" in (told := refusal(NAME, nobody))
    assert "CHAINWRIGHT_MODEL_SOURCE" in told
    assert "CHAINWRIGHT_OFFLINE forbids" in refusal(NAME, hub.url, offline=True)
    assert "there is no such folder" in refusal("/nowhere/tiny", hub.url)
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert "does not answer" in refusal(NAME, f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - began < 30


def test_modelscope(hub: ModelHub, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("modelscope_hub")
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    found = folder_of(NAME, "modelscope")
    assert same(found, whole) and not (found / "pytorch_model.bin").exists()
    assert "has none of this name" in refusal("team/other", "modelscope")
    before = len(hub.asked)
    assert folder_of(NAME, "modelscope", offline=True) == found and len(hub.asked) == before


def test_modelscope_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope_hub", None)
    assert "pip install 'chainwright[modelscope]'" in refusal(NAME, "modelscope")


def test_a_folder_of_models(whole: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    for name in ("tiny", NAME):
        shutil.copytree(whole, shelf / name)
    assert folder_of("tiny", str(shelf)) == shelf / "tiny" and folder_of(NAME, str(shelf)) == shelf / NAME
    assert folder_of(str(whole), str(shelf)) == whole
    told = refusal("big", str(shelf))
    assert "there are team/tiny, tiny" in told and str(tmp_path) not in told
    assert "there are no models in it" in refusal("big", str(tmp_path / "shelf" / "tiny"))
