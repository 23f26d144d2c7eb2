"""What the output layer says of rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from models.language.forward import masked_output, projection
from models.language.forward.masked_output import OutputLayer
from models.language.forward.products import Products


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_the_norm_of_a_row_alone_is_that_of_a_row_among_others(two_threads: None) -> None:
    """Of more tokens than PyTorch sums in one thread."""
    draws = torch.Generator().manual_seed(0)
    weight, hidden = (torch.randn(count, 8, generator=draws) for count in (50_000, 200))
    output = OutputLayer(weight, None, torch.float32, None)
    together = output.log_norms(hidden)
    assert torch.equal(torch.cat([output.log_norms(row) for row in hidden.split(1)]), together)
    assert output.log_norms(hidden[:0]).shape == (0,)


@pytest.mark.parametrize("library", ["onednn", "torch"])
def test_precise_logits_are_rounded_to_float32_alone(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the products of this processor and by those of one that multiplies in bfloat16, a few weights at a time."""
    if library == "torch":
        monkeypatch.setattr(projection, "products", lambda device, dtype: Products("torch", dtype))
    monkeypatch.setattr(masked_output, "WEIGHTS_AT_ONCE", 100)
    draws = torch.Generator().manual_seed(0)
    weight, bias, hidden = (torch.randn(*shape, generator=draws).bfloat16() for shape in ((300, 16), (300,), (7, 16)))
    ids = torch.randperm(300, generator=draws)[:90]
    exact = hidden.double() @ weight[ids].double().T + bias[ids].double()
    output = OutputLayer(weight, bias, torch.bfloat16, 6.0, ids)
    capped = 6 * torch.tanh(exact / 6)
    torch.testing.assert_close(output.precise_logits(hidden).double(), capped, atol=1e-5, rtol=0)
    assert (output.logits(hidden).double() - capped).abs().max() > 1e-3
