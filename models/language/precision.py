"""Numbers that a model may be held in."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]
"""auto: bfloat16 where the device is good at it, else float32."""
