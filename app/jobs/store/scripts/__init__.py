"""Lua scripts: each a change of a job's keys that happens as a whole or not at all."""

from __future__ import annotations

from importlib.resources import files


def script(name: str) -> str:
    """The text of a script, behind what all share."""
    folder = files(__name__)
    return "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in ("common", name))
