"""Findings of a check."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Finding(BaseModel):
    """One thing looked at.

    A warning is for what works, but not as well or as safely as it could.
    """

    about: str = Field(description="what was looked at")
    status: Literal["ok", "warning", "error"]
    found: str
    remedy: str = Field(default="", description="how to mend it; empty if all is well")


def ok(about: str, found: str) -> Finding:
    """A finding with nothing to mend."""
    return Finding(about=about, status="ok", found=found)


def warning(about: str, found: str, remedy: str) -> Finding:
    """A finding on something that works, but not well or safely."""
    return Finding(about=about, status="warning", found=found, remedy=remedy)


def error(about: str, found: str, remedy: str) -> Finding:
    """A finding on something that cannot work."""
    return Finding(about=about, status="error", found=found, remedy=remedy)
