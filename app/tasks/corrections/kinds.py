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
