"""A device that computes on the CPU and keeps its tensors apart from the CPU's, as a GPU does.

It finds what would only show on a GPU: an operation over tensors of both, and every wait of the host
for the device. PyTorch's own name for it is ``meta``, the one other device that every build has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

DEVICE = torch.device("meta")
CPU = torch.device("cpu")

_ATEN = torch.ops.aten
_BETWEEN_DEVICES = frozenset({_ATEN._to_copy.default, _ATEN.copy_.default})
_INDEXED = frozenset({_ATEN.index.Tensor, _ATEN.index_put.default, _ATEN.index_put_.default})
_WAITS = frozenset(
    {
        _ATEN._local_scalar_dense.default,
        _ATEN.equal.default,
        _ATEN.masked_select.default,
        _ATEN.nonzero.default,
        _ATEN._unique2.default,
    }
)
"""Operations whose result the host must know: a value, or a shape that depends on values."""


class DeviceTensor(Tensor):
    """A tensor of the device.

    Attributes:
        data_on_cpu: its values.
    """

    data_on_cpu: Tensor

    @staticmethod
    def __new__(cls, values: Tensor) -> Self:
        places = values.stride(), values.storage_offset()
        # An inference tensor of a subclass can be neither detached nor indexed.
        with torch.inference_mode(False):
            made = Tensor._make_wrapper_subclass(
                cls, values.shape, places[0], places[1], dtype=values.dtype, device=DEVICE
            )
        made.data_on_cpu = values
        return made

    def __init__(self, values: Tensor) -> None:
        pass

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        raise RuntimeError(f"{func} outside of pretend_device()")


class _Constants(TorchFunctionMode):
    """Values to and from Python, which PyTorch does not bring through an operation for ``meta``."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.tolist:
            return func(args[0].cpu())
        if func is Tensor.__getitem__ and isinstance(args[0], DeviceTensor) and isinstance(args[1], list):
            return func(args[0], torch.tensor(args[1]).to(DEVICE))
        if func is torch.tensor and (device := kwargs.get("device")) is not None:
            return func(*args, **kwargs | {"device": CPU}).to(device)
        return func(*args, **kwargs)


class PretendDevice(TorchDispatchMode):
    """Runs the operations of :class:`DeviceTensor`.

    Attributes:
        synchronisations: waits of the host for the device since the start, by operation.
        operations: operations on the device, views included.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.synchronisations: dict[str, int] = {}
        self.operations = 0

    def hold(self, model: nn.Module) -> nn.Module:
        """Bring a model there."""
        for module in model.modules():
            places: list[Any] = [module._parameters, module._buffers, vars(module)]
            for held in places:
                for name, value in list(held.items()):
                    if isinstance(value, Tensor):
                        held[name] = DeviceTensor(value.detach())
        return model

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        with self, torch._C.DisableTorchFunction():
            decomposed = func.decompose(*args, **kwargs)  # type: ignore[attr-defined]
        if decomposed is not NotImplemented:
            return decomposed
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [one for one in tensors if isinstance(one, DeviceTensor)]
        if any(one.device == DEVICE and not isinstance(one, DeviceTensor) for one in tensors):
            raise RuntimeError(f"{func}: a tensor that PyTorch made for {DEVICE}, without values")
        asked = kwargs.get("device")
        if not there and (asked is None or torch.device(asked) != DEVICE):
            return func(*args, **kwargs)
        self.operations += 1
        # A number as a tensor of no dimension may stand anywhere.
        mixed = bool(there) and any(one.dim() > 0 for one in tensors if not isinstance(one, DeviceTensor))
        to_device = bool(there) if asked is None else torch.device(asked) == DEVICE
        if func is _ATEN.copy_.default:
            to_device = isinstance(args[0], DeviceTensor)
        elif mixed and func not in _INDEXED:
            raise RuntimeError(f"{func}: tensors on the device and on the CPU")
        if func in _BETWEEN_DEVICES:
            waits = not all(isinstance(one, DeviceTensor) == to_device for one in tensors)
        else:
            waits = func in _WAITS or (func in _INDEXED and (mixed or _by_mask(args[1])))
            waits |= func is _ATEN.repeat_interleave.Tensor and kwargs.get("output_size") is None
        if waits:
            self.synchronisations[str(func)] = self.synchronisations.get(str(func), 0) + 1
        if asked is not None:
            kwargs["device"] = CPU
        result = func(*_values(args), **_values(kwargs))
        known = {id(one.data_on_cpu): one for one in there}
        if not to_device:
            return result
        return tree_map_only(Tensor, lambda one: known[id(one)] if id(one) in known else DeviceTensor(one), result)


@contextmanager
def pretend_device() -> Iterator[PretendDevice]:
    """While it is entered, tensors may be on :data:`DEVICE`."""
    with _Constants(), PretendDevice() as device:
        yield device


def _values(arguments: Any) -> Any:
    return tree_map_only(DeviceTensor, lambda one: one.data_on_cpu, arguments)


def _by_mask(indices: Sequence[Tensor | None]) -> bool:
    return any(one is not None and one.dtype in (torch.bool, torch.uint8) for one in indices)
