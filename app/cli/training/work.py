"""Training of an adapter for a model that writes keys, from files of questions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from app.cli.questions import read_questions
from app.cli.training.card import NAME, Beginning, Course, Questions, card
from app.cli.training.interrupts import stop_requests
from app.cli.training.view import training_view
from app.engine.device import device_fault
from app.indexes.opened import SHIPPED_ADAPTER, key_model_folder, model_name
from app.indexes.problems import MODEL_ERRORS
from app.settings.settings import Settings
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from models.language.default_weights import DEFAULT_MODEL, Progress
from models.language.device import DeviceError, device_of
from models.language.loading import dtype_of
from models.retrieval.examples import Example, ExampleError
from models.retrieval.loading import KeyTokenizer
from models.retrieval.training.adapter import StartError, shape_of
from models.retrieval.training.checkpoint import CheckpointError
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.starting import start
from models.retrieval.training.train import DivergedError, Trainer
from models.text.atomic import write_atomically


@dataclass(frozen=True, slots=True)
class RetrievalTraining:
    """A training to run."""

    train: Path  # JSON Lines of {"question": ..., "answer": "subject ||| predicate ||| object"}
    dev: Path
    folder: Path  # gets checkpoints, the adapter and the card
    train_rows: int | None  # only the first so many questions
    dev_rows: int | None
    options: TrainingOptions
    adapter: str | None = None  # folder of the one to go on from, "default" for the shipped one, None for a new one
    encoding: str | None = None  # of the files; None for UTF-8


def train_retrieval(
    training: RetrievalTraining, settings: Settings, progress: Progress, say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Train to the end, or until Ctrl-C, with a view on standard error; ``say`` is given lines about start and stop.

    Returns:
        The card, also written to the folder beside the adapter; None if it was stopped before the end.

    Raises:
        ProblemError: files, model or folder cannot be used, or the loss is not a number.
    """
    with _as_problem(training.folder):
        train, train_file = _read(training.train, training.train_rows, "TRAIN", training.encoding)
        dev, dev_file = _read(training.dev, training.dev_rows, "DEV", training.encoding)
        training.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(training.folder / ".lock", timeout=0):
            name = model_name(settings)
            beginning = _beginning(training.adapter)
            if beginning is not None:
                training = replace(training, options=shape_of(beginning.folder, training.options))
            given = None if name == "default" else Path(name).name if Path(name).is_dir() else name
            trainer = _trainer(training, train, dev, settings, progress, given or DEFAULT_MODEL, beginning)
            position = trainer.resume()
            if position.step:
                say(f"Goes on from the checkpoint of step {position.step} of {trainer.steps}")
            batch = training.options.batch
            with stop_requests() as stopping, training_view(batch, position.step, trainer.steps) as view:
                trainer.stopping, trainer.on_report = stopping, view.update
                position = trainer.run(position)
            if not trainer.over(position):
                say(f"Stopped after step {position.step} of {trainer.steps}; the same command goes on from there")
                return None
            scaled = trainer.shrink(position)
            if not scaled:
                say("Stopped while the scale was chosen; the same command goes on from there")
                return None
            encoding = training.encoding
            found = card(Course(trainer, given, train_file, dev_file, position, scaled, beginning, encoding))
            write_atomically(training.folder / NAME, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
            return found


def _trainer(
    training: RetrievalTraining,
    train: list[Example],
    dev: list[Example],
    settings: Settings,
    progress: Progress,
    name: str,
    beginning: Beginning | None,
) -> Trainer:
    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    source = key_model_folder(settings, progress)
    tokenizer = KeyTokenizer.load(source)
    device = device_of(settings.device)
    learner = start(
        source,
        name,
        tokenizer,
        training.options,
        dtype=dtype_of(settings.precision, device),
        device=device,
        adapter=None if beginning is None else beginning.folder,
    )
    return Trainer(learner, tokenizer.codec, train, dev, training.folder, training.options, longest=tokenizer.longest)


def _beginning(adapter: str | None) -> Beginning | None:
    if adapter is None:
        return None
    return Beginning(adapter, SHIPPED_ADAPTER if adapter == "default" else Path(adapter))


def _read(file: Path, rows: int | None, field: str, encoding: str | None) -> tuple[list[Example], Questions]:
    found = read_questions(file, encoding, field)
    used = found[:rows]
    return used, Questions(file, len(found), len(used))


@contextmanager
def _as_problem(folder: Path) -> Iterator[None]:
    """Errors that the user can mend, as problems."""
    try:
        yield
    except DeviceError as error:
        raise ProblemError(422, [device_fault(error)]) from error
    except MODEL_ERRORS as error:
        raise invalid("--model", Code.UNUSABLE_MODEL, str(error), "name another model, or mend this one") from error
    except ExampleError as error:
        raise invalid("TRAIN or DEV", Code.UNUSABLE_FILE, str(error), error.remedy) from error
    except StartError as error:
        raise invalid("--adapter", Code.UNUSABLE_FILE, str(error), "or train a new one without it") from error
    except CheckpointError as error:
        raise invalid("FOLDER", Code.UNUSABLE_FILE, str(error), "or name another folder") from error
    except DivergedError as error:
        raise invalid("", Code.NOT_FINITE, str(error), "and name another folder") from error
    except Timeout as error:
        message, remedy = f"{folder} is being trained into", "wait for it, or name another folder"
        raise invalid("FOLDER", Code.IN_USE, message, remedy) from error
    except OSError as error:
        raise invalid("FOLDER", Code.UNUSABLE_FILE, f"{folder} cannot be written: {error}", "mend that") from error
