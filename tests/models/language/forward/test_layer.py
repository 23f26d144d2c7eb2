"""The compiled part of a layer against the same layer by tensor operations, for every build."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from models.language.device import DeviceError
from models.language.forward import layer
from models.language.forward.context_cache import ContextCache
from models.language.forward.decoder import Decoder
from models.language.forward.packing import Packing, pack
from tests.support.tiny_model import CONFIGS, GEMMA, HEADS, build

pytestmark = pytest.mark.skipif(
    os.environ.get(layer.LAYERS_SWITCH) == "off", reason="the compiled layers are switched off"
)

SHAPES: dict[str, Any] = {
    **{name: make for name, make in CONFIGS.items() if name != "gpt2" and not name.endswith("narrow")},
    # Odd numbers of queries for a key, and of 16 values in a head.
    "three": lambda: transformers.LlamaConfig(
        **HEADS | {"num_attention_heads": 6, "num_key_value_heads": 2, "hidden_size": 48, "head_dim": 48}
    ),
    "seven": lambda: transformers.Gemma3TextConfig(
        **GEMMA | {"num_attention_heads": 7, "num_key_value_heads": 1, "hidden_size": 112, "head_dim": 32},
        sliding_window=3,
    ),
}


@pytest.fixture(params=["DEFAULT", "AVX2", "AVX512"])
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    chosen: str = request.param
    if chosen not in supported():
        pytest.skip("this processor cannot run the build")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: chosen)
    assert layer.library() is not None, "the installation compiled no such build"
    return chosen


def supported() -> list[str]:
    levels = ["DEFAULT", "AVX2", "AVX512"]
    here = torch.backends.cpu.get_cpu_capability()
    return levels[: levels.index(here) + 1] if here in levels else levels[:1]


def decoder(name: str, dtype: torch.dtype) -> Decoder:
    return Decoder(build(SHAPES[name]()).to(dtype).get_decoder())


def packings(decoder: Decoder, rng: np.random.Generator) -> tuple[Packing, Packing]:
    """The same sentences twice: two contexts, the second empty, and prefixes kept of some."""
    heads, size = decoder._heads, decoder._layers[0].head_scale.shape[1]
    stores = torch.from_numpy(rng.normal(size=(40, 2, 2, heads, size)).astype(np.float32))
    contexts = [ContextCache.of(stores[:23])] * 3 + [ContextCache.of(stores[:0])] * 3
    fed = [rng.integers(3, 30, count).tolist() for count in rng.integers(1, 6, 6)]
    kept = [None if count == 0 else stores[:count] for count in rng.integers(0, 19, 6)]
    one, other = (pack(fed, kept, contexts, lambda slots: stores.new_zeros(slots, *stores.shape[1:])) for _ in range(2))
    return one, other


@pytest.mark.parametrize("name", SHAPES)
@torch.inference_mode()
def test_as_by_tensor_operations(level: str, name: str) -> None:
    body = decoder(name, torch.float32)
    assert body.compiles
    for seed in range(5):
        one, other = packings(body, np.random.default_rng(seed))
        x = body._embed(one.tokens).float()
        expected = body._composed(x.clone(), other)
        torch.testing.assert_close(body._compiled(x, one), expected, atol=2e-5, rtol=1e-5)
        torch.testing.assert_close(one.added(), other.added(), atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["gemma3", "three"])
@torch.inference_mode()
def test_in_half_precision_as_close_as_rounding_lets(level: str, name: str) -> None:
    body, exact = decoder(name, torch.bfloat16), decoder(name, torch.float32)
    gaps = []
    for seed in range(5):
        one, other = packings(body, np.random.default_rng(seed))
        third, _ = packings(exact, np.random.default_rng(seed))
        x = body._embed(one.tokens).float()
        reference = exact._composed(exact._embed(third.tokens).float(), third)
        rounding = (body._composed(x.clone(), other).float() - reference).abs().mean()
        gaps.append(((body._compiled(x, one).float() - reference).abs().mean() / rounding).item())
    assert np.mean(gaps) < 1.2


@given(st.lists(st.floats(width=32, allow_subnormal=False, allow_infinity=False), min_size=32, max_size=32))
def test_rounds_to_bfloat16_as_torch_does(values: list[float]) -> None:
    loaded = layer.library()
    assert loaded is not None
    # A row of ones with nothing added to its squares has the norm 1: what comes out is the scale, rounded.
    x, scale = torch.ones(1, 32), torch.tensor(values)
    out = torch.empty(1, 32, dtype=torch.bfloat16)
    loaded.chainwright_residual(1, 32, x.data_ptr(), None, None, scale.data_ptr(), 0.0, out.data_ptr(), 1)
    torch.testing.assert_close(out[0], scale.to(torch.bfloat16), rtol=0, atol=0, equal_nan=True)


def test_a_build_of_another_source_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert layer._library.__wrapped__("any") is not None
    changed = tmp_path / "layer.c"
    changed.write_bytes(layer.SOURCE_FILE.read_bytes() + b"\n")
    monkeypatch.setattr(layer, "SOURCE_FILE", changed)
    assert layer._library.__wrapped__("any") is None


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(layer.LAYERS_SWITCH, "off")
    assert layer.library() is None
    monkeypatch.setenv(layer.LAYERS_SWITCH, "on")
    assert layer.library() is not None
    monkeypatch.setenv(layer.LAYERS_SWITCH, "perhaps")
    with pytest.raises(DeviceError, match=r"'perhaps' cannot be read: set it to on or off") as caught:
        decoder("gemma3", torch.float32)
    assert caught.value.setting == layer.LAYERS_SWITCH


def test_runs_without_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "library", lambda: None)
    body = decoder("gemma3", torch.float32)
    assert not body.compiles
    with torch.inference_mode():
        one, other = packings(body, np.random.default_rng(0))
        torch.testing.assert_close(body(one), body._composed(body._embed(other.tokens).float(), other))
