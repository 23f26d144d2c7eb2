"""Linear layers with their weights laid out once for the CPU's matrix kernels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PackedLinear(nn.Module):
    """y = x W^T + b in float32 with W reordered into oneDNN's blocked layout.

    The same sums as :class:`torch.nn.Linear` in another order. A Markov step feeds some tens of
    tokens; there, reading W in blocks is what counts (figures: benchmarks/linear.json).
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.bias = linear.bias
        self.features = linear.out_features
        self._packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        flat = x.reshape(-1, x.shape[-1])
        out = torch.ops.mkldnn._linear_pointwise(flat, self._packed, self.bias, "none", [], "")
        return torch.Tensor.view(out, *x.shape[:-1], self.features)


def packable(linear: nn.Linear) -> bool:
    """Whether this build of torch has the kernels, and they take this layer."""
    return (
        linear.weight.device.type == "cpu"
        and linear.weight.dtype == torch.float32
        and torch._C.has_mkldnn
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def pack_linears(module: nn.Module) -> int:
    """Replace every linear layer inside ``module`` that gains by it; return how many."""
    count = 0
    for name, child in list(module.named_children()):
        if type(child) is nn.Linear and packable(child):
            setattr(module, name, PackedLinear(child))
            count += 1
        else:
            count += pack_linears(child)
    return count
