"""Checkpoints of a training: safetensors with JSON in the head, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from models.text.atomic import write_atomically

NAME = "checkpoint.safetensors"


@dataclass(slots=True)
class Position:
    """Progress of a training."""

    step: int = 0  # steps done
    judged: int = 0  # the step after which dev was last evaluated
    best: float | None = None  # the lowest loss on dev so far; None before the first evaluation
    stale: int = 0  # evaluations since
    seconds: float = 0.0  # spent so far, all runs together
    evaluations: list[dict[str, float]] = field(default_factory=list)  # step and figures of each


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State from which a training goes on as if it had not stopped."""

    position: Position
    adapter: dict[str, Tensor]  # the adapter's parameters by name
    optimizer: dict[int, dict[str, Tensor]]  # the optimiser's state of each parameter, by the parameter's number


class CheckpointError(RuntimeError):
    """A checkpoint does not belong to this training, or cannot be read."""


def save_checkpoint(folder: Path, identity: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a kill at any time leaves a whole one, this or the last.

    ``identity`` is a digest of all that decides the training's course.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"adapter/{name}": tensor for name, tensor in checkpoint.adapter.items()}
    for number, state in checkpoint.optimizer.items():
        tensors |= {f"optimizer/{number}/{name}": tensor for name, tensor in state.items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    head = json.dumps({"identity": identity, "position": asdict(checkpoint.position)}, allow_nan=False)
    write_atomically(folder / NAME, save(tensors, {"head": head, "checksum": _checksum(head, tensors)}))


def load_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """The last checkpoint, None if there is none.

    Raises:
        CheckpointError: it was written with other options or other questions, or is damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            found = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if _checksum(found["head"], tensors) != found["checksum"]:
            raise ValueError("its checksum is another")
        head = json.loads(found["head"])
        written, position = head["identity"], Position(**head["position"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): delete it") from error
    if written != identity:
        raise CheckpointError(
            f"{path} was written with other options, another model or other questions: give those again, or delete it"
        )
    adapter: dict[str, Tensor] = {}
    optimizer: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "adapter":
            adapter[rest] = tensor
        else:
            number, _, what = rest.partition("/")
            optimizer.setdefault(int(number), {})[what] = tensor
    return Checkpoint(position, adapter, optimizer)


def _checksum(head: str, tensors: Mapping[str, Tensor]) -> str:
    """BLAKE2b-128 over the head and every tensor."""
    digest = hashlib.blake2b(head.encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
