"""A device that the CPU pretends to be finds what would only show on a GPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from benchmarks.gpu_scores import compare
from benchmarks.pretend_device import DEVICE, DeviceTensor, pretend_device


@pytest.mark.parametrize("family", ["llama", "gemma3-window", "gemma2", "qwen2", "gpt2"])
def test_the_engine_runs_there_and_scores_as_on_the_cpu(family: str) -> None:
    with pretend_device() as device:
        found = compare(family, device.hold, torch.float32)
    assert found["holds"] and found["read"] < 0.9
    assert device.operations > 1000


def test_tensors_there_are_not_the_cpus() -> None:
    with pretend_device() as device:
        there = torch.tensor([1.0, 2.0, 3.0], device=DEVICE)
        assert isinstance(there, DeviceTensor) and there.device == DEVICE
        assert there[[2, 0]].tolist() == [3.0, 1.0]
        with pytest.raises(RuntimeError, match="without values"):
            there + torch.as_tensor([1.0, 1.0, 1.0], device=DEVICE)
        assert (there * 2).cpu().tolist() == (2 * there).tolist() == [2.0, 4.0, 6.0]
        with pytest.raises(RuntimeError, match="on the device and on the CPU"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="on the device and on the CPU"):
            there @ torch.ones(3)
        with pytest.raises((RuntimeError, TypeError)):
            there.numpy()
    assert sum(device.synchronisations.values()) == 5
    with pytest.raises(RuntimeError, match="outside"):
        there + 1


@pytest.mark.parametrize(
    ("work", "waits"),
    [
        (lambda x: x.sum().item(), 1),
        (lambda x: bool(x.any()), 1),
        (lambda x: x[x > 1], 1),
        (lambda x: x.nonzero(), 1),
        (lambda x: x[torch.tensor([0, 2])], 1),
        (lambda x: x[[0, 2]], 1),
        (lambda x: x.repeat_interleave(x.long()), 1),
        (lambda x: x.copy_(torch.ones(3)), 1),
        (lambda x: torch.equal(x, x), 1),
        (lambda x: x.repeat_interleave(2).view(3, 2).softmax(-1).cumsum(0), 0),
        (lambda x: x.masked_fill_(x > 1, 0.0)[1:] + torch.arange(2, device=DEVICE), 0),
        (lambda x: torch.cat((x, x.new_zeros(2), x[x.argsort()])), 0),
    ],
)
def test_waits_are_counted(work: Callable[[Tensor], object], waits: int) -> None:
    with pretend_device() as device:
        there = torch.tensor([1.0, 2.0, 3.0], device=DEVICE)
        device.synchronisations.clear()
        work(there)
    assert sum(device.synchronisations.values()) == waits, device.synchronisations
