"""Checkpoints that are whole or not there."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

_NAME = "checkpoint.pt"


@dataclass(slots=True)
class Position:
    """How far a training is.

    Attributes:
        step: steps done.
        best: the lowest loss on dev so far.
        stale: evaluations since.
    """

    step: int = 0
    best: float = float("inf")
    stale: int = 0


class CheckpointError(RuntimeError):
    """A checkpoint does not belong to this training, or cannot be read."""


def save_checkpoint(folder: Path, identity: str, position: Position, state: dict[str, Any]) -> None:
    """Write a checkpoint under another name and rename it into place, so that a kill at any time leaves a whole one."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{_NAME}.{os.getpid()}"
    with scratch.open("wb") as file:
        torch.save({"identity": identity, "position": asdict(position), **state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, folder / _NAME)


def load_checkpoint(folder: Path, identity: str) -> tuple[Position, dict[str, Any]] | None:
    """The last checkpoint, None if there is none.

    Raises:
        CheckpointError: it was written with other options or other questions, or is damaged.
    """
    path = folder / _NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        written, position = state.pop("identity"), Position(**state.pop("position"))
    except Exception as error:  # torch.load raises whatever the damage makes its parts raise
        raise CheckpointError(f"{path} cannot be read ({error}): delete it to start anew") from error
    if written != identity:
        raise CheckpointError(
            f"{path} was written with other options, another model or other questions: "
            "give those again, choose another folder, or delete it to start anew"
        )
    return position, state
