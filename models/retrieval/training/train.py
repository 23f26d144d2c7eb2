"""Train an adapter so that the model writes the key of a question's fact."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.retrieval.codec import KeyCodec
from models.retrieval.training.checkpoint import Position, load_checkpoint, save_checkpoint
from models.retrieval.training.examples import Example
from models.retrieval.training.learner import Learner
from models.retrieval.training.loss import Losses, key_losses
from models.retrieval.training.misspelling import misspell
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.sampled_index import Choices, IndexSampler

POOL = 50
"""Batches whose questions are sorted by length together: short ones pad little, order stays random."""


@dataclass(frozen=True, slots=True)
class Report:
    """One step, or one evaluation on dev.

    Attributes:
        step, steps: done, and in all.
        language, siblings, right: see :class:`models.retrieval.training.loss.Losses`.
        rate: questions a second since the training began or resumed.
        dev: whether this is an evaluation.
    """

    step: int
    steps: int
    language: float
    siblings: float
    right: float
    rate: float
    dev: bool


@dataclass(eq=False)
class Trainer:
    """Trains an adapter on questions, stops by dev, resumes after a kill.

    Writes into the folder ``checkpoint.pt`` and, whenever dev is better than before, ``adapter/``.
    Batches, sampled indexes and misspellings are functions of seed and step alone, so a resumed
    training goes on as if it had not stopped.

    Attributes:
        learner: the model with its adapter.
        codec: writes questions and keys.
        train: questions to learn from.
        dev: questions to stop by; at least one.
        folder: where checkpoints and adapter go.
        options: see there.
        on_report: told of every step and evaluation.
    """

    learner: Learner
    codec: KeyCodec
    train: Sequence[Example]
    dev: Sequence[Example]
    folder: Path
    options: TrainingOptions
    on_report: Callable[[Report], None]
    _ordered: tuple[int, list[list[int]]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not self.train or not self.dev:
            raise ValueError("training needs at least one question to learn from and one of dev")
        facts = [example.fact for example in self.train]
        self._sampler = IndexSampler(self.codec, facts, self.options.names, self.options.predicates)
        self._letters = sorted({letter for fact in facts for letter in fact.name})
        self._vocabulary = self._seen()
        self._per_epoch = -(-len(self.train) // self.options.batch)
        self.steps = self._per_epoch * self.options.epochs

    def run(self) -> Position:
        """Train to the end, or until dev has not become better for a while.

        Raises:
            models.retrieval.training.checkpoint.CheckpointError: the folder holds another training.
        """
        position, optimizer = Position(), self.learner.optimizer(self.options)
        identity = self._identity()
        found = load_checkpoint(self.folder, identity)
        if found is not None:
            position, state = found
            self.learner.restore(state["adapter"])
            optimizer.load_state_dict(state["optimizer"])
        began, first = time.perf_counter(), position.step
        peaks = [group["lr"] for group in optimizer.param_groups] if found is None else found[1]["peaks"]
        while position.step < self.steps and position.stale < self.options.patience:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * self._pace(position.step)
            losses = self._step(position.step, optimizer)
            position.step += 1
            rate = (position.step - first) * self.options.batch / (time.perf_counter() - began)
            self.on_report(self._report(position.step, losses, rate, dev=False))
            last = position.step == self.steps
            if last or position.step % self.options.evaluate_every == 0:
                self._judge(position, rate)
            if last or position.step % self.options.save_every == 0:
                state = {
                    "adapter": self.learner.state,
                    "optimizer": optimizer.state_dict(),
                    "peaks": peaks,
                }
                save_checkpoint(self.folder, identity, position, state)
        return position

    def evaluate(self) -> Losses:
        """The losses on dev, over indexes sampled the same way each time."""
        self.learner.model.eval()
        parts: list[tuple[Losses, int]] = []
        rng = np.random.default_rng(0)
        choices = [self._sampler.sample(example, rng) for example in self.dev]
        order = sorted(range(len(self.dev)), key=lambda i: len(self.dev[i].question))
        with torch.inference_mode():
            for start in range(0, len(order), 2 * self.options.batch):
                batch = order[start : start + 2 * self.options.batch]
                found = self._losses([self.dev[i].question for i in batch], [choices[i] for i in batch])
                parts.append((found, len(batch)))
        mean = {
            name: torch.stack([getattr(part, name) * count for part, count in parts]).sum() / len(self.dev)
            for name in ("language", "siblings", "right")
        }
        return Losses(**mean)

    def _judge(self, position: Position, rate: float) -> None:
        found = self.evaluate()
        self.on_report(self._report(position.step, found, rate, dev=True))
        loss = float(found.language + found.siblings if self.options.siblings else found.language)
        if loss < position.best:
            position.best, position.stale = loss, 0
            self.learner.save(self.folder / "adapter")
        else:
            position.stale += 1

    def _step(self, step: int, optimizer: torch.optim.Optimizer) -> Losses:
        self.learner.model.train()
        rng = np.random.default_rng((self.options.seed, 1, step))
        torch.manual_seed(int(rng.integers(2**31)))
        batch = [self.train[i] for i in self._batch(step)]
        choices = [self._sampler.sample(example, rng) for example in batch]
        losses = self._losses([self._asked(example, rng) for example in batch], choices)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses.language + self.options.siblings * losses.siblings)
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.options.clip)
        optimizer.step()
        return losses

    def _losses(self, questions: Sequence[str], choices: Sequence[Choices]) -> Losses:
        hidden = self.learner.hidden([self.codec.question(text) for text in questions], [one.key for one in choices])
        return key_losses(hidden, self.learner.output, self._vocabulary, choices, self.learner.softcap)

    def _asked(self, example: Example, rng: np.random.Generator) -> str:
        """The question, now and then with its name misspelt."""
        name = example.fact.name
        if rng.random() < self.options.misspelt and len(name) > 2 and name in example.question:
            return example.question.replace(name, misspell(name, self._letters, rng))
        return example.question

    def _batch(self, step: int) -> list[int]:
        epoch, number = divmod(step, self._per_epoch)
        return self._order(epoch)[number]

    def _order(self, epoch: int) -> list[list[int]]:
        if self._ordered is None or self._ordered[0] != epoch:
            self._ordered = (epoch, list(_batches(self.train, self.options, epoch)))
        return self._ordered[1]

    def _pace(self, step: int) -> float:
        """The share of the highest learning rate: up in a line, then down in a line to a tenth."""
        if step < self.options.warmup:
            return (step + 1) / self.options.warmup
        return 1 - 0.9 * (step - self.options.warmup) / max(1, self.steps - self.options.warmup)

    def _seen(self) -> Tensor:
        """Tokens of all questions and keys: over a full vocabulary the head would cost more than the body."""
        seen = {self.codec.separator, self.codec.end}
        for example in (*self.train, *self.dev):
            seen.update(self.codec.question(example.question))
            seen.update(self.codec.key(example.fact.parts))
        return torch.tensor(sorted(seen), device=self.learner.device)

    def _identity(self) -> str:
        """Of what decides the course: options, questions and the model's shape."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(json.dumps(asdict(self.options), sort_keys=True).encode())
        digest.update(repr([self.train, self.dev]).encode())
        digest.update(repr([(name, tuple(p.shape)) for name, p in self.learner.state.items()]).encode())
        return digest.hexdigest()

    def _report(self, step: int, losses: Losses, rate: float, *, dev: bool) -> Report:
        values = (losses.language.item(), losses.siblings.item(), losses.right.item())
        return Report(step, self.steps, *values, rate, dev)


def _batches(train: Sequence[Example], options: TrainingOptions, epoch: int) -> Iterator[list[int]]:
    rng = np.random.default_rng((options.seed, 0, epoch))
    order = rng.permutation(len(train)).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), POOL * options.batch):
        pool = sorted(order[start : start + POOL * options.batch], key=lambda i: _length(train[i]))
        batches += [pool[at : at + options.batch] for at in range(0, len(pool), options.batch)]
    return (batches[i] for i in rng.permutation(len(batches)))


def _length(example: Example) -> int:
    return len(example.question) + sum(map(len, example.fact.parts))
