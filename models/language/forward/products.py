"""Matrix products on a processor, by a library that is tried once: some refuse what a processor has, or the reverse.

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

_ONEDNN_ACTIVATIONS: dict[Activation, tuple[str, str]] = {"gelu_tanh": ("gelu", "tanh"), "silu": ("swish", "")}


@dataclass(frozen=True)
class Products:
    """A way to compute x W^T + b and the operations fused with it.

    Attributes:
        library: that multiplies.
        dtype: of its operands; weights of another are widened to it.
    """

    library: Literal["onednn", "torch"]
    dtype: torch.dtype

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} by {self.library}"

    def laid_out(self, weight: Tensor) -> Tensor:
        """A weight, (out, in), in the library's layout.

        Raises:
            RuntimeError: the library refuses it on this processor.
        """
        weight = weight.to(self.dtype)
        return _operators()._reorder_linear_weight(weight) if self.library == "onednn" else weight

    def product(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        activation: Activation | None = None,
        factor: Tensor | None = None,
    ) -> Tensor:
        """x W^T + b, an activation of it, or it times a factor: (N, in) to (N, out), in the dtype of x."""
        wide = x.to(self.dtype)
        y: Tensor
        if self.library == "torch":
            y = functional.linear(wide, weight, bias)
            if activation is not None:
                y = functional.silu(y) if activation == "silu" else functional.gelu(y, approximate="tanh")
            elif factor is not None:
                y = y * factor
        elif factor is not None:
            y = _operators()._linear_pointwise.binary(wide, factor.to(self.dtype), weight, bias, "mul")
        else:
            name, algorithm = ("none", "") if activation is None else _ONEDNN_ACTIVATIONS[activation]
            y = _operators()._linear_pointwise(wide, weight, bias, name, [], algorithm)
        return y.to(x.dtype)

    def works(self, dtype: torch.dtype) -> bool:
        """Whether small products of this dtype come out right on this processor."""
        draws = torch.Generator().manual_seed(0)
        x, weight, bias = (torch.randn(*shape, generator=draws).to(dtype) for shape in ((7, 32), (48, 32), (48,)))
        y = x.float() @ weight.float().T + bias.float()
        try:
            held, added = self.laid_out(weight), bias.to(self.dtype)
            pairs = [
                (self.product(x, held, added), y),
                (self.product(x, held, added, "silu"), functional.silu(y)),
                (self.product(x, held, added, "gelu_tanh"), functional.gelu(y, approximate="tanh")),
                (self.product(x, held, added, factor=y.to(dtype)), y * y.to(dtype)),
            ]
        except (RuntimeError, AttributeError):
            return False
        # bfloat16 has 8 bits; a wrong product is wrong by its whole size.
        return all(torch.allclose(ours.float(), exact, rtol=0.02, atol=0.05) for ours, exact in pairs)


def products(device: torch.device, dtype: torch.dtype) -> Products:
    """The way to multiply weights of this dtype on a device."""
    return _on_cpu(dtype) if device.type == "cpu" else Products("torch", dtype)


@cache
def _on_cpu(dtype: torch.dtype) -> Products:
    ways = [Products("onednn", dtype), Products("onednn", torch.float32)]
    return next((way for way in ways if way.works(dtype)), Products("torch", torch.float32))


def _operators() -> Any:
    """Absent where PyTorch is built without oneDNN."""
    return torch.ops.mkldnn
