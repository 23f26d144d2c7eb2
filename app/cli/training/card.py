"""Card of a training, which lies beside its adapter."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from app.cli.options import flag_of
from models.language.default_weights import DEFAULT_MODEL
from models.retrieval.training.adapter import WEIGHTS
from models.retrieval.training.checkpoint import Position
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.train import Report, Trainer

NAME = "card.json"


@dataclass(frozen=True, slots=True)
class Questions:
    """A file of questions."""

    file: Path
    given: int  # how many it has
    used: int  # how many of these, from the first on, were used

    def as_json(self) -> dict[str, Any]:
        """Name, SHA-256 and counts; no path of this machine."""
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        return {"file": self.file.name, "sha256": digest, "questions": self.given, "used": self.used}


@dataclass(frozen=True, slots=True)
class Beginning:
    """The adapter that a training went on from."""

    given: str  # on the command line
    folder: Path

    @property
    def shown(self) -> str:
        """Its name, without a path of this machine."""
        return Path(self.given).name

    def as_json(self) -> dict[str, Any]:
        """Name, and SHA-256 of the weights."""
        return {"adapter": self.shown, "sha256": hashlib.sha256((self.folder / WEIGHTS).read_bytes()).hexdigest()}


@dataclass(frozen=True, slots=True)
class Course:
    """A training that is done."""

    trainer: Trainer
    given_model: str | None  # on the command line; None for the default
    train: Questions
    dev: Questions
    position: Position  # where it ended
    scaled: Sequence[Report]  # evaluations of the scales tried at the end, the best first
    beginning: Beginning | None = None  # the adapter that it went on from; None for a new one
    encoding: str | None = None  # of the files, if it was given


def card(course: Course) -> dict[str, Any]:
    """The figures, options and files of a training, and the command that repeats it."""
    options, output, rows = course.trainer.options, course.trainer.learner.output, course.position.evaluations
    best = min(rows, key=lambda row: row["language"] + options.siblings * row["siblings"])
    return {
        "model": course.given_model or DEFAULT_MODEL,
        "precision": str(output.dtype).removeprefix("torch."),
        "device": output.device.type,
        "threads": torch.get_num_threads(),
        "options": options.model_dump(),
        "start": None if course.beginning is None else course.beginning.as_json(),
        "train": course.train.as_json(),
        "dev": course.dev.as_json(),
        "steps": course.position.step,
        "steps_of_all_epochs": course.trainer.steps,
        "stopped_by_dev": course.position.step < course.trainer.steps,
        "seconds": round(course.position.seconds, 1),
        "best": best,
        "evaluations": rows,
        "scale": course.scaled[0].scale,
        "scales": [{"factor": one.scale, **_losses(one)} for one in course.scaled],
        "command": command(course),
        "versions": {name: version(name) for name in ("chainwright", "torch", "transformers", "peft")}
        | {"python": platform.python_version()},
    }


def _losses(report: Report) -> dict[str, float]:
    return {"language": report.language, "siblings": report.siblings, "right": report.right}


def command(course: Course) -> str:
    """The command that repeats a training: options other than the defaults."""
    words = ["chainwright", "train", "retrieval", course.train.file.name, course.dev.file.name, "FOLDER"]
    if course.given_model is not None:
        words += ["--model", course.given_model]
    if course.beginning is not None:
        words += ["--adapter", course.beginning.shown]
    if course.encoding is not None:
        words += ["--encoding", course.encoding]
    for name, questions in (("train_rows", course.train), ("dev_rows", course.dev)):
        if questions.used < questions.given:
            words += [flag_of(name), str(questions.used)]
    for name, field in TrainingOptions.model_fields.items():
        value = getattr(course.trainer.options, name)
        if value != field.default:
            words += [flag_of(name), str(value)]
    return shlex.join(words)
