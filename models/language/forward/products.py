"""What multiplies matrices on a processor: tried once, since libraries refuse what a processor has, and the reverse.

oneDNN's blocked weights are the fast way on a CPU. For bfloat16 it asks for AVX-512 (or for bfloat16
on 64-bit Arm); without, the same values are widened to float32 and multiplied there, with results
rounded to bfloat16 again: the same law of rounding, at the speed and in the memory of float32.
PyTorch's own products in bfloat16 are four to nine times as slow there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["gelu_tanh", "silu"]

_POINTWISE: dict[Activation, tuple[str, str]] = {"gelu_tanh": ("gelu", "tanh"), "silu": ("swish", "")}


@dataclass(frozen=True)
class Products:
    """A way to compute x W^T + b and what is fused with it.

    Attributes:
        library: who multiplies.
        dtype: what it multiplies; weights of another are widened to it.
    """

    library: Literal["onednn", "torch"]
    dtype: torch.dtype

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} by {self.library}"

    def laid_out(self, weight: Tensor) -> Tensor:
        """A weight, (out, in), as the other methods want it.

        Raises:
            RuntimeError: the library refuses it on this processor.
        """
        weight = weight.to(self.dtype)
        return _operators()._reorder_linear_weight(weight) if self.library == "onednn" else weight

    def plain(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """x W^T + b, (N, in) to (N, out), in the dtype of x, as the others."""
        return self._product(x, weight, bias, "none", "")

    def activated(self, x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
        """f(x W^T + b)."""
        if self.library == "onednn":
            return self._product(x, weight, bias, *_POINTWISE[activation])
        y = functional.linear(x.to(self.dtype), weight, bias)
        return (functional.silu(y) if activation == "silu" else functional.gelu(y, approximate="tanh")).to(x.dtype)

    def times(self, x: Tensor, weight: Tensor, bias: Tensor | None, factor: Tensor) -> Tensor:
        """(x W^T + b) * factor."""
        if self.library == "onednn":
            wide, other = x.to(self.dtype), factor.to(self.dtype)
            y: Tensor = _operators()._linear_pointwise.binary(wide, other, weight, bias, "mul")
        else:
            y = functional.linear(x.to(self.dtype), weight, bias) * factor
        return y.to(x.dtype)

    def _product(self, x: Tensor, weight: Tensor, bias: Tensor | None, name: str, algorithm: str) -> Tensor:
        wide = x.to(self.dtype)
        if self.library == "onednn":
            y: Tensor = _operators()._linear_pointwise(wide, weight, bias, name, [], algorithm)
        else:
            y = functional.linear(wide, weight, bias)
        return y.to(x.dtype)

    def works(self, dtype: torch.dtype) -> bool:
        """Whether small products of this dtype come out right on this processor."""
        draws = torch.Generator().manual_seed(0)
        x, weight, bias = (torch.randn(*shape, generator=draws).to(dtype) for shape in ((7, 32), (48, 32), (48,)))
        y = x.float() @ weight.float().T + bias.float()
        try:
            held, added = self.laid_out(weight), bias.to(self.dtype)
            pairs = [
                (self.plain(x, held, added), y),
                (self.activated(x, held, added, "silu"), functional.silu(y)),
                (self.activated(x, held, added, "gelu_tanh"), functional.gelu(y, approximate="tanh")),
                (self.times(x, held, added, y.to(dtype)), y * y.to(dtype)),
            ]
        except (RuntimeError, AttributeError):
            return False
        # bfloat16 has 8 bits; a wrong product is wrong by its whole size.
        return all(torch.allclose(ours.float(), exact, rtol=0.02, atol=0.05) for ours, exact in pairs)


def products(device: torch.device, dtype: torch.dtype) -> Products:
    """How weights of this dtype are multiplied on a device."""
    return _on_cpu(dtype) if device.type == "cpu" else Products("torch", dtype)


@cache
def _on_cpu(dtype: torch.dtype) -> Products:
    ways = [Products("onednn", dtype), Products("onednn", torch.float32)]
    return next((way for way in ways if way.works(dtype)), Products("torch", torch.float32))


def _operators() -> Any:
    """Absent where PyTorch is built without oneDNN."""
    return torch.ops.mkldnn
