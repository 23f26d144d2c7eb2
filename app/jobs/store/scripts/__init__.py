"""Lua scripts: atomic changes of a job's keys."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """Text of a script, after the functions that all share."""
    folder = files(__name__)
    return "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("common", name))
