"""Kinds of errors."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "homophone",
    "near_homophone",
    "lookalike",
    "variant",
    "missing",
    "redundant",
    "reordered",
    "function_word",
    "punctuation",
    "spelling",
    "inflection",
    "article",
    "preposition",
    "listed",
]

SINGLE: tuple[Kind, ...] = ("missing", "redundant", "reordered", "function_word", "punctuation")
"""Kinds whose edits are judged each by itself, not in a lattice."""
CONFIDENCE, SINGLE_CONFIDENCE = 0.65, 0.27
"""Default of the least confidence of an edit. Of right Chinese texts at most one in twenty is touched, of right English
ones one in eight; of single edits made in learners' texts two in five or more are right."""


def least_confidence(kind: Kind, asked: float | None) -> float:
    """The least confidence of an edit of a kind that is made, by what is asked for."""
    if asked is not None:
        return asked
    return SINGLE_CONFIDENCE if kind in SINGLE else CONFIDENCE
