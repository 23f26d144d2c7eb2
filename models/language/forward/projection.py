"""Linear layers laid out for the forwards of tens of tokens that a Markov step needs."""

from __future__ import annotations

from torch import Tensor

from models.language.forward.products import Activation, products


class Projection:
    """y = x W^T + b, with the weight laid out once as the processor's fastest products want it.

    At these sizes reading the weights decides (figures: benchmarks/step.json), and every row of
    the result is the same bits whatever rows stand beside it.

    Attributes:
        dtype: in which products are computed; results are rounded to the precision of what is multiplied.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._products = products(weight.device, weight.dtype)
        self.dtype = self._products.dtype
        self._weight = self._products.laid_out(weight)
        self._bias = None if bias is None else bias.to(self._products.dtype)

    def __call__(self, x: Tensor, activation: Activation | None = None, factor: Tensor | None = None) -> Tensor:
        """(N, in) to (N, out), in the dtype of x; see :meth:`Products.product`."""
        return self._products.product(x, self._weight, self._bias, activation, factor)
