"""The compiled part of a decoder layer: norms, rotary positions and attention on a CPU (``layer.c``).

On tens of tokens a layer's matrix products take half of the time and some seventy small tensor
operations the rest. Two calls take their place here (figures: benchmarks/step.json).
"""

from __future__ import annotations

import ctypes
import os
import sysconfig
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.language.device import DeviceError
from models.language.forward.packing import Packing

VECTOR_WIDTH = 16
"""Sizes of rows must be multiples of this."""

SOURCE_FILE = Path(__file__).with_suffix(".c")
"""Lies beside this file in a working tree, where it may have changed since the installation."""

LAYERS_SWITCH = "CHAINWRIGHT_COMPILED_LAYERS"
"""Environment variable; ``off`` leaves all to tensor operations."""


class _Batch(ctypes.Structure):
    _fields_ = (
        ("tokens", ctypes.c_int64),
        ("heads", ctypes.c_int64),
        ("groups", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("layers", ctypes.c_int64),
        ("sentences", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("fresh", ctypes.c_void_p),
        ("queries", ctypes.c_void_p),
        ("scores", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
    )


def instructions() -> str:
    """The processor's instruction set as PyTorch uses it; its variable ATEN_CPU_CAPABILITY can hold it lower."""
    return torch.backends.cpu.get_cpu_capability().lower()


def build() -> str:
    """The build for the instruction set: avx512, avx2, or any."""
    return found if (found := instructions()) in ("avx512", "avx2") else "any"


def library() -> ctypes.CDLL | None:
    """That build; None where it is switched off, where the installation has none, or one of another source.

    Raises:
        DeviceError: the switch is neither on nor off.
    """
    switch = os.environ.get(LAYERS_SWITCH, "on")
    if switch not in ("on", "off", ""):
        raise DeviceError(LAYERS_SWITCH, f"{switch!r} cannot be read", "set it to on or off")
    return None if switch == "off" else _library(build())


@cache
def _library(build: str) -> ctypes.CDLL | None:
    path = Path(__file__).with_name(f"layer_{build}{sysconfig.get_config_var('EXT_SUFFIX')}")
    if not path.exists():
        return None
    loaded = ctypes.CDLL(str(path))
    loaded.chainwright_source.restype = ctypes.c_uint32
    if SOURCE_FILE.exists() and zlib.crc32(SOURCE_FILE.read_bytes()) != loaded.chainwright_source():
        return None
    number, pointer, real, flag = ctypes.c_int64, ctypes.c_void_p, ctypes.c_float, ctypes.c_int
    loaded.chainwright_residual.argtypes = [number, number, *[pointer] * 4, real, pointer, flag]
    loaded.chainwright_residual.restype = None
    loaded.chainwright_attend.argtypes = [
        *(ctypes.POINTER(_Batch), number, pointer, pointer, flag, real),
        *(pointer, pointer, number, real, pointer, flag),
    ]
    loaded.chainwright_attend.restype = None
    return loaded


def fits(dtype: torch.dtype, device: torch.device, *sizes: int) -> bool:
    """Whether layers with weights of this dtype and rows of these sizes can run compiled here."""
    known = dtype in (torch.bfloat16, torch.float32) and device.type == "cpu"
    return known and all(size % VECTOR_WIDTH == 0 for size in sizes) and library() is not None


@dataclass(frozen=True, slots=True)
class Rotations:
    """Rotations of N tokens, by pairs (2i, 2i + 1) of D values, float32.

    Attributes:
        cosines: c, c for each pair, (N, D).
        sines: -s, s for each pair, (N, D).
    """

    cosines: Tensor
    sines: Tensor

    @classmethod
    def of(cls, cosines: Tensor, sines: Tensor) -> Rotations:
        """From one cosine and sine for each pair, (N, D / 2)."""
        return cls(cosines.float().repeat_interleave(2, 1), torch.stack((-sines, sines), -1).float().flatten(1))


class Pass:
    """One forward of N packed tokens through compiled layers.

    Args:
        packing: the tokens; keys and values are float32 on the CPU. Its ``fresh`` is set.
        hidden: x, the residual stream, (N, d), float32, contiguous; changed in place.
        groups: query heads for each of the H key-value heads.
        eps: of the norms.
        dtype: of the rows that go into and come from matrix products.
    """

    def __init__(self, packing: Packing, hidden: Tensor, groups: int, eps: float, dtype: torch.dtype) -> None:
        loaded = library()
        assert loaded is not None
        self._residual, self._attend = loaded.chainwright_residual, loaded.chainwright_attend
        contexts, kept = packing.contexts, [None if one is None else one.contiguous() for one in packing.kept]
        layers, _, heads, _, size = contexts[0].layers.shape
        count = len(hidden)
        before = [0 if one is None else one.shape[0] for one in kept]
        # Each sentence as layer.c has it: six integers of 64 bits, some of them addresses.
        sentences = np.array(
            [
                (context.layers.data_ptr(), context.length, context.layers.shape[3], address, length, new)
                for context, address, length, new in zip(
                    contexts,
                    [0 if one is None else one.data_ptr() for one in kept],
                    before,
                    packing.counts,
                    strict=True,
                )
            ],
            dtype=np.int64,
        )
        longest = max(context.length for context in contexts) + max(before) + int(packing.counts.max())
        stride = -(-longest // VECTOR_WIDTH) * VECTOR_WIDTH
        packing.fresh = hidden.new_empty(count, layers, 2, heads, size)
        self._hidden, self._eps, self._half = hidden, eps, int(dtype == torch.bfloat16)
        self._normed = hidden.new_empty(hidden.shape, dtype=dtype)
        self._mixed = hidden.new_empty(count, heads * groups * size, dtype=dtype)
        queries, scores = hidden.new_empty(count, heads * groups, size), hidden.new_empty(groups, stride)
        self._batch = _Batch(
            *(count, heads, groups, size, layers, sentences.ctypes.data, len(sentences), packing.fresh.data_ptr()),
            *(queries.data_ptr(), scores.data_ptr(), stride),
        )
        self._alive = (packing, kept, sentences, queries, scores)

    def add(self, rows: Tensor | None, after: Tensor | None, scale: Tensor) -> Tensor:
        """Add norm(rows) * after to x, or rows without ``after``; norm(x) * scale, (N, d), valid until the next.

        Args:
            rows: (N, d), contiguous; None adds nothing.
            after, scale: (d,), float32.
        """
        self._residual(
            *self._hidden.shape,
            self._hidden.data_ptr(),
            None if rows is None else rows.data_ptr(),
            None if after is None else after.data_ptr(),
            scale.data_ptr(),
            self._eps,
            self._normed.data_ptr(),
            self._half,
        )
        return self._normed

    def attend(
        self,
        layer: int,
        heads: Tensor,
        scale: Tensor,
        normed: bool,
        turns: Rotations,
        window: int | None,
        softcap: float | None,
    ) -> Tensor:
        """Norm, scale and turn queries and keys, store keys and values, and attend as :meth:`Packing.attend`.

        Args:
            layer: index of the layer.
            heads: queries, keys and values, (N, (H G + 2 H) D), contiguous.
            scale: of queries and keys, (H G + H, D), float32.
            normed: whether they are normed by head.
            turns: their rotations.
            window, softcap: as there.

        Returns:
            (N, H G D), valid until the next.
        """
        self._attend(
            self._batch,
            layer,
            heads.data_ptr(),
            scale.data_ptr(),
            normed,
            self._eps,
            turns.cosines.data_ptr(),
            turns.sines.data_ptr(),
            window or 0,
            softcap or 0.0,
            self._mixed.data_ptr(),
            self._half,
        )
        return self._mixed
