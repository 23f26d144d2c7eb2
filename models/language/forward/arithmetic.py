"""Arithmetic behind a score: device, instructions and libraries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arithmetic:
    """Arithmetic behind a score; by another, its last bits may differ.

    Attributes:
        device: cpu, cuda or mps.
        instructions: a CPU's instruction set as PyTorch uses it, such as avx2; None elsewhere.
        layers: build of the compiled layers (:mod:`models.language.forward.layer`); None without.
        products: the library that multiplies matrices, and its precision.
    """

    device: str
    instructions: str | None
    layers: str | None
    products: str

    def __str__(self) -> str:
        return ", ".join(part for part in (self.device, self.instructions, self.layers, self.products) if part)
