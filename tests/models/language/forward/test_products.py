"""Products are right by every way, and one is found on any processor."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.language.forward import layer, products
from models.language.forward.products import Products
from models.language.scoring.scorer import CausalScorer
from tests.support.tiny_model import CONFIGS, build, vocabulary

CPU = torch.device("cpu")
single, half = PRECISIONS = [torch.float32, torch.bfloat16]
ROUNDING: dict[torch.dtype, dict[str, float]] = {
    single: {"rtol": 1e-5, "atol": 1e-4},
    half: {"rtol": 2**-7, "atol": 2**-5},
}
"""In half precision rounded once at the end, or, by PyTorch's operations, once more before."""
WAYS = [
    (Products(library, multiplied), dtype)
    for library in ("onednn", "torch")
    for multiplied, dtype in [(single, single), (half, half), (single, half)]
]


@pytest.fixture
def anew() -> Iterator[None]:
    """What was found out before is tried again, and after."""
    products._on_cpu.cache_clear()
    yield
    products._on_cpu.cache_clear()


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("way", "dtype"), WAYS, ids=str)
def test_every_way_computes_what_it_says(way: Products, dtype: torch.dtype, bias: bool) -> None:
    if not way.works(dtype):
        pytest.skip("not on this processor")
    x, weight, factor = (drawn(*shape, seed=k).to(dtype) for k, shape in enumerate([(9, 80), (48, 80), (9, 48)]))
    added = drawn(48, seed=3).to(dtype) if bias else None
    held, held_bias = way.laid_out(weight), None if added is None else added.to(way.dtype)
    y = functional.linear(x.double(), weight.double(), None if added is None else added.double())
    pairs = [
        (way.product(x, held, held_bias), y),
        (way.product(x, held, held_bias, "silu"), functional.silu(y)),
        (way.product(x, held, held_bias, "gelu_tanh"), functional.gelu(y, approximate="tanh")),
        (way.product(x, held, held_bias, factor=factor), y * factor.double()),
    ]
    for ours, exact in pairs:
        assert ours.dtype == dtype
        torch.testing.assert_close(ours.double(), exact, **ROUNDING[dtype])


def test_widened_products_round_as_products_in_half_precision_do() -> None:
    x, weight = drawn(64, 640, seed=0).bfloat16(), drawn(256, 640, seed=1).bfloat16()
    way = Products("onednn", torch.float32)
    if not way.works(torch.bfloat16):
        pytest.skip("not on this processor")
    exact = (x.double() @ weight.double().T).bfloat16()
    # The sum in float32 lies on the other side of a rounding border now and then.
    assert (way.product(x, way.laid_out(weight), None) != exact).float().mean() < 0.01


def test_the_way_is_the_precision_asked_for_where_the_library_has_it() -> None:
    assert products.products(CPU, torch.float32).dtype == torch.float32
    half = products.products(CPU, torch.bfloat16)
    assert (half.dtype == torch.bfloat16) == Products("onednn", torch.bfloat16).works(torch.bfloat16)
    assert products.products(torch.device("cuda"), torch.bfloat16) == Products("torch", torch.bfloat16)


def refused(*_: Any) -> Tensor:
    raise RuntimeError("could not create a primitive")


BROKEN = {
    "no such operators": SimpleNamespace(),
    "refused when laid out": SimpleNamespace(_reorder_linear_weight=refused),
    "refused when multiplied": SimpleNamespace(_reorder_linear_weight=lambda w: w, _linear_pointwise=refused),
    "wrong": SimpleNamespace(
        _reorder_linear_weight=lambda w: w, _linear_pointwise=lambda x, w, *_: torch.zeros(len(x), len(w))
    ),
}
"""oneDNN as it may be met on 64-bit Arm and in builds of PyTorch without it."""


@pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
@pytest.mark.parametrize("operators", BROKEN.values(), ids=BROKEN.keys())
def test_where_onednn_fails_pytorch_multiplies(
    anew: None, operators: Any, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "_operators", lambda: operators)
    assert products.products(CPU, dtype) == Products("torch", torch.float32)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
def test_a_processor_with_nothing_scores_as_this_one(
    anew: None, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64-bit Arm at its barest: no oneDNN, no compiled layers, an instruction set without a name here."""
    mask = vocabulary(list(range(5, 25)), 15, 5)

    def scores() -> tuple[Tensor, CausalScorer]:
        scorer = CausalScorer(build(CONFIGS["gemma3"]()).to(dtype))
        output = scorer.forward.output(mask)
        (scored,) = scorer.score(scorer.context([2, 17, 3], output), output, [(9, 12, 15, 20)], [None])
        return torch.from_numpy(scored.log_probs), scorer

    here, _ = scores()
    products._on_cpu.cache_clear()
    monkeypatch.setattr(products, "_operators", SimpleNamespace)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "SVE256")
    monkeypatch.setattr(layer, "library", lambda: None)
    bare, scorer = scores()
    torch.testing.assert_close(bare, here, rtol=0, atol=0.1 if dtype == half else 1e-5)
    assert str(scorer.forward.arithmetic) == "cpu, sve256, float32 by torch"
