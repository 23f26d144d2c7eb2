"""Packed attention for any model on transformers' attention interface; the model's own code is untouched."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface

from models.language.forward.packing import Packing

ATTENTION_NAME = "chainwright_ragged"


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    packing: Packing,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention over a :class:`Packing`.

    Args:
        module: the attention layer; its ``layer_idx`` picks the stored keys and values.
        query: (1, H * G, N, D), rotated.
        key: (1, H, N, D), rotated.
        value: (1, H, N, D).
        attention_mask: unused; the packing knows what each token sees.

    Returns:
        (1, N, H * G, D), and None for the attention weights.
    """
    heads, size = key.shape[1], query.shape[-1]
    scaled = query[0].transpose(0, 1) * (size**-0.5 if scaling is None else scaling)
    mixed = packing.attend(
        int(module.layer_idx),  # type: ignore[arg-type]
        scaled.reshape(len(scaled), heads, -1, size),
        key[0].transpose(0, 1),
        value[0].transpose(0, 1),
        sliding_window,
        softcap,
    )
    return mixed.view(1, len(scaled), -1, size).to(query.dtype), None


AttentionInterface.register(ATTENTION_NAME, attend)
