"""Linear layers laid out for the forwards of tens of tokens that a Markov step needs."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["gelu_tanh", "silu"]

_POINTWISE: dict[Activation, tuple[str, str]] = {"gelu_tanh": ("gelu", "tanh"), "silu": ("swish", "")}


class Projection:
    """y = x W^T + b, with the weight reordered once into oneDNN's blocked layout on a CPU.

    At these sizes reading the weights decides (figures: benchmarks/step.json), and every row of
    the result is the same bits whatever rows stand beside it.

    Attributes:
        outputs: rows of W.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.outputs, self._inputs = weight.shape
        self._bias = bias
        self._blocked = weight.device.type == "cpu" and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight) if self._blocked else weight

    def __call__(self, x: Tensor) -> Tensor:
        """(N, in) to (N, out), both in the weight's dtype."""
        if self._blocked:
            return _plain(torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], ""))
        return functional.linear(x, self._weight, self._bias)

    def activated(self, x: Tensor, activation: Activation) -> Tensor:
        """f(x W^T + b)."""
        if self._blocked:
            name, algorithm = _POINTWISE[activation]
            return _plain(torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, name, [], algorithm))
        y = self(x)
        return functional.silu(y) if activation == "silu" else functional.gelu(y, approximate="tanh")

    def times(self, x: Tensor, factor: Tensor) -> Tensor:
        """(x W^T + b) * factor."""
        if self._blocked:
            return _plain(torch.ops.mkldnn._linear_pointwise.binary(x, factor, self._weight, self._bias, "mul"))
        return self(x) * factor


def _plain(y: Tensor) -> Tensor:
    """The operators are untyped."""
    return y
