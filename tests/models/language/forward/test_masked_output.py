"""What the output layer says of a row is the same to the last bit whatever rows stand beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from models.language.forward.masked_output import OutputLayer


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
