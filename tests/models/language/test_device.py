"""What a device cannot do is told as the device's fault, with a remedy."""

from __future__ import annotations

import pytest
import torch

from models.language.device import DeviceError, device_of, out_of_memory, try_out
from models.language.forward.forward import UnsupportedModelError
from models.language.forward.products import products
from models.language.loading import dtype_of
from models.language.scoring.scorer import CausalScorer
from tests.support.tiny_model import CONFIGS, build

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_cpu_computes_in_every_precision(dtype: torch.dtype) -> None:
    try_out(CPU, dtype)


@pytest.mark.parametrize("name", ["tpu", "cuda:99"])
def test_a_device_that_is_not_here(name: str) -> None:
    with pytest.raises(DeviceError) as caught:
        try_out(device_of(name), torch.float32)
    assert caught.value.setting == "CHAINWRIGHT_DEVICE" and caught.value.remedy


def test_a_device_that_computes_nothing() -> None:
    with pytest.raises(DeviceError, match="meta does not multiply bfloat16"):
        dtype_of("bfloat16", torch.device("meta"))


def test_auto_takes_half_precision_only_where_it_is_multiplied() -> None:
    if dtype_of("auto", CPU) == torch.bfloat16:
        assert products(CPU, torch.bfloat16).dtype == torch.bfloat16
    assert dtype_of("bfloat16", CPU) == torch.bfloat16 and dtype_of("float32", CPU) == torch.float32


def test_a_precision_that_the_processor_lacks_is_not_the_models_fault() -> None:
    with pytest.raises(DeviceError, match="float8") as caught:
        CausalScorer(build(CONFIGS["gpt2"]()).to(torch.float8_e4m3fn))
    assert caught.value.setting == "CHAINWRIGHT_PRECISION" and "float32" in caught.value.remedy


def test_what_fails_everywhere_is_the_models_fault() -> None:
    model = build(CONFIGS["llama"]())
    model.model.layers[0].mlp.up_proj.weight.data = torch.ones(48, 7)
    with pytest.raises(UnsupportedModelError, match="does not run in float32 on cpu"):
        CausalScorer(model)


def test_no_memory_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert out_of_memory(caught.value) and not out_of_memory(RuntimeError("could not create a primitive"))
