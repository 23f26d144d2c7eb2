"""Drop-in layers that do the same arithmetic with less overhead on a CPU.

A Markov step feeds some tens of tokens. At that size the fixed costs decide: reading the
weights once, and one kernel launch for each small operation (figures: benchmarks/step.json).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class PackedLinear(nn.Module):
    """y = x W^T + b in float32 with W reordered once into oneDNN's blocked layout."""

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


class FusedRMSNorm(nn.Module):
    """y = x / sqrt(mean(x^2) + eps) * scale in one kernel."""

    def __init__(self, scale: Tensor, eps: float) -> None:
        super().__init__()
        self.scale = scale
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) to (..., d)."""
        return functional.rms_norm(x, self.scale.shape, self.scale, self.eps)


def quicken(module: nn.Module) -> None:
    """Replace the layers inside ``module`` for which a faster one computes the same, in place.

    Nothing changes off the CPU or in another precision than float32.
    """
    for name, child in list(module.named_children()):
        faster = _packed(child) or _fused(child)
        if faster is None:
            quicken(child)
        else:
            setattr(module, name, faster)


def _plain(weight: object) -> bool:
    return isinstance(weight, Tensor) and weight.device.type == "cpu" and weight.dtype == torch.float32


def _packed(module: nn.Module) -> PackedLinear | None:
    if type(module) is not nn.Linear or not _plain(module.weight):
        return None
    if not torch._C._has_mkldnn or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return None
    return PackedLinear(module)


def _fused(module: nn.Module) -> FusedRMSNorm | None:
    """The fused norm, if it gives what the module gives on a probe (the scale is w, or 1 + w in Gemma)."""
    weight = getattr(module, "weight", None)
    eps = getattr(module, "eps", getattr(module, "variance_epsilon", None))
    if not type(module).__name__.endswith("RMSNorm") or not isinstance(eps, float) or not isinstance(weight, Tensor):
        return None
    if not _plain(weight):
        return None
    probe = torch.linspace(-3, 5, 3 * weight.numel()).view(3, -1)
    expected = module(probe)
    for scale in (weight.detach(), 1 + weight.detach()):
        fused = FusedRMSNorm(scale, eps)
        if torch.allclose(fused(probe), expected, rtol=1e-5, atol=1e-6):
            return fused
    return None
