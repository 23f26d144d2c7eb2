"""Training of an adapter with which a model writes the key of a question's fact."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.retrieval.examples import Example, ExampleError
from models.retrieval.misspelt import misspell
from models.retrieval.training.checkpoint import Checkpoint, CheckpointError, Position, load_checkpoint, save_checkpoint
from models.retrieval.training.learner import Learner
from models.retrieval.training.loss import Losses, key_losses
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.sampled_index import Choices, IndexSampler
from models.retrieval.writers.codec import KeyCodec

ADAPTER = "adapter"
"""The folder of the best adapter, in that of the training."""
BATCHES_SORTED_TOGETHER = 50
"""Batches whose questions are sorted by length together: short ones pad little, order stays random."""


class DivergedError(RuntimeError):
    """The loss is no longer a number; the message holds the remedy."""


class _StoppedError(Exception):
    """The training is to stop."""


@dataclass(frozen=True, slots=True)
class Report:
    """One step, or one evaluation on dev; for the losses see :class:`models.retrieval.training.loss.Losses`."""

    step: int  # done
    steps: int  # in all
    language: float
    siblings: float
    right: float
    rate: float  # questions a second since the training began or resumed
    dev: bool = False  # whether this is an evaluation
    best: bool = False  # whether it is one, and none before was better
    scale: float = 1.0  # factor on the adapter's scale, 1 as it was trained


@dataclass(eq=False)
class Trainer:
    """Trainer of an adapter on questions; stops by dev, resumes after a kill.

    Writes into the folder a checkpoint and, whenever dev is better than before, ``adapter/``.
    Batches, sampled indexes and misspellings are functions of seed and step alone, so a resumed
    training goes on as if it had not stopped.

    Raises:
        ExampleError: no questions, or one that cannot be written in the model's tokens.
    """

    learner: Learner  # the model with its adapter
    codec: KeyCodec
    train: Sequence[Example]
    dev: Sequence[Example]  # questions to stop by; at least one
    folder: Path  # of checkpoints and adapter
    options: TrainingOptions
    on_report: Callable[[Report], None] = lambda report: None  # called with every step and evaluation
    stopping: Callable[[], bool] = lambda: False  # asked between forwards whether to save and stop; stays true
    longest: int = 512  # most tokens of a question
    _ordered: tuple[int, list[list[int]]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not self.train or not self.dev:
            raise ExampleError("training needs at least one question to learn from and one of dev")
        self._vocabulary = self._find_vocabulary()
        facts = [example.fact for example in self.train]
        self._sampler = IndexSampler(self.codec, facts, self.options.names, self.options.predicates)
        self._letters = sorted({letter for fact in facts for letter in fact.name})
        self._per_epoch = -(-len(self.train) // self.options.batch)
        self._optimizer = self.learner.adapter.optimizer(self.options)
        self._peaks = [group["lr"] for group in self._optimizer.param_groups]
        self._identity = self._digest()
        self.steps = self._per_epoch * self.options.epochs

    def resume(self) -> Position:
        """Take up the checkpoint of the folder; the beginning if there is none.

        Raises:
            CheckpointError: the folder holds another training, or a damaged one.
        """
        found = load_checkpoint(self.folder, self._identity)
        if found is None:
            return Position()
        groups = self._optimizer.state_dict()["param_groups"]
        try:
            self.learner.adapter.restore(found.adapter)
            self._optimizer.load_state_dict({"state": found.optimizer, "param_groups": groups})
        except (KeyError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint of {self.folder} does not fit ({error}): delete it") from error
        return found.position

    def over(self, position: Position) -> bool:
        """Whether nothing is left to do: all steps done, or dev not better for a while."""
        judged = position.judged == position.step and position.step > 0
        return judged and (position.step >= self.steps or position.stale >= self.options.patience)

    def run(self, position: Position) -> Position:
        """Train from a position that :meth:`resume` gave, to the end or until :attr:`stopping`.

        In either case the folder then holds a checkpoint of the position returned; see :meth:`over`.

        Raises:
            DivergedError: the loss is not a number; the last checkpoint and adapter are from before.
            OSError: a file cannot be written.
        """
        position = replace(position, evaluations=list(position.evaluations))
        began, before, first = time.perf_counter(), position.seconds, position.step
        saved = position.step, position.judged
        rate = 0.0
        while True:
            if self._is_due(position):
                with suppress(_StoppedError):
                    self._judge(position, rate)
            last = self.over(position) or self.stopping()
            if saved != (position.step, position.judged) and (last or position.step % self.options.save_every == 0):
                position.seconds = before + time.perf_counter() - began
                self._save(position)
                saved = position.step, position.judged
            if last:
                return position
            losses = self._step(position.step)
            position.step += 1
            rate = (position.step - first) * self.options.batch / (time.perf_counter() - began)
            self.on_report(self._report(position.step, losses, rate))

    def shrink(self, position: Position) -> list[Report]:
        """Try the best adapter at smaller scales on dev, and leave it at the best of them.

        The whole of an adapter serves questions like those that it learnt from; a part of it keeps
        more of the model's knowledge of others. Source: Wortsman et al., Robust fine-tuning of zero-shot
        models (CVPR 2022), with the scale in place of a mean of weights, which is the same for LoRA.

        Returns:
            An evaluation at each scale, the best first; none if the training is :attr:`stopping`.
        """
        adapter = self.learner.adapter
        adapter.load(self.folder / ADAPTER)
        tried: list[Report] = []
        for tenths in range(10, math.ceil(round(10 * self.options.shrink, 6)) - 1, -1):
            adapter.scale(tenths / 10)
            try:
                found = self.evaluate()
            except _StoppedError:
                return []
            report = replace(self._report(position.step, found, 0.0, dev=True), scale=tenths / 10)
            best = not tried or self._loss(report) < min(map(self._loss, tried))
            self.on_report(replace(report, best=best))
            tried.append(report)
        tried.sort(key=self._loss)
        adapter.scale(1.0)
        adapter.save_scale(self.folder / ADAPTER, tried[0].scale)
        return tried

    @torch.inference_mode()
    def evaluate(self) -> Losses:
        """The losses on dev, over indexes sampled the same way each time."""
        self.learner.adapter.model.eval()
        parts: list[tuple[Losses, int]] = []
        rng = np.random.default_rng(0)
        choices = [self._sampler.sample(example, rng) for example in self.dev]
        order = sorted(range(len(self.dev)), key=lambda i: len(self.dev[i].question))
        for start in range(0, len(order), 2 * self.options.batch):
            if self.stopping():
                raise _StoppedError
            batch = order[start : start + 2 * self.options.batch]
            found = self._losses([self.dev[i].question for i in batch], [choices[i] for i in batch])
            parts.append((found, len(batch)))
        mean = {
            name: torch.stack([getattr(part, name) * count for part, count in parts]).sum() / len(self.dev)
            for name in ("language", "siblings", "right")
        }
        return Losses(**mean)

    def _is_due(self, position: Position) -> bool:
        """Whether dev is to be evaluated before the next step."""
        wanted = position.step == self.steps or position.step % self.options.evaluate_every == 0
        return wanted and position.judged < position.step

    def _judge(self, position: Position, rate: float) -> None:
        found = self.evaluate()
        loss = self._loss(found)
        better = position.best is None or loss < position.best
        report = self._report(position.step, found, rate, dev=True, best=better)
        if better:
            self.learner.adapter.save(self.folder / ADAPTER)
            position.best, position.stale = loss, 0
        else:
            position.stale += 1
        figures = {name: getattr(report, name) for name in ("step", "language", "siblings", "right")}
        position.evaluations.append(figures)
        position.judged = position.step
        self.on_report(report)

    def _loss(self, found: Losses | Report) -> float:
        return float(found.language + self.options.siblings * found.siblings)

    def _step(self, step: int) -> Losses:
        self.learner.adapter.model.train()
        rng = np.random.default_rng((self.options.seed, 1, step))
        torch.manual_seed(int(rng.integers(2**31)))
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * self._rate_share(step)
        batch = [self.train[i] for i in self._batch(step)]
        choices = [self._sampler.sample(example, rng) for example in batch]
        losses = self._losses([self._asked(example, rng) for example in batch], choices)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses.language + self.options.siblings * losses.siblings)
        torch.nn.utils.clip_grad_norm_(self.learner.adapter.parameters, self.options.clip)
        self._optimizer.step()
        return losses

    def _losses(self, questions: Sequence[str], choices: Sequence[Choices]) -> Losses:
        hidden = self.learner.hidden([self.codec.question(text) for text in questions], [one.key for one in choices])
        return key_losses(hidden, self.learner.output, self._vocabulary, choices)

    def _asked(self, example: Example, rng: np.random.Generator) -> str:
        """The question, now and then with its name misspelt."""
        name = example.fact.name
        if rng.random() < self.options.misspelt and len(name) > 2 and name in example.question:
            return example.question.replace(name, misspell(name, self._letters, rng))
        return example.question

    def _batch(self, step: int) -> list[int]:
        epoch, number = divmod(step, self._per_epoch)
        if self._ordered is None or self._ordered[0] != epoch:
            self._ordered = (epoch, _batches(self.train, self.options.batch, self.options.seed, epoch))
        return self._ordered[1][number]

    def _rate_share(self, step: int) -> float:
        """The share of the highest learning rate: up in a line, then down in a line to a tenth."""
        if step < self.options.warmup:
            return (step + 1) / self.options.warmup
        return 1 - 0.9 * (step - self.options.warmup) / max(1, self.steps - self.options.warmup)

    def _find_vocabulary(self) -> Tensor:
        """Tokens of all questions and keys: over a full vocabulary the head would cost more than the body."""
        seen = {self.codec.separator, self.codec.end}
        for example in (*self.train, *self.dev):
            asked = self.codec.question(example.question)
            if len(asked) > self.longest:
                raise ExampleError(
                    f"the question {example.question[:40]!r}... has {len(asked)} tokens: leave it out, or shorten it "
                    f"to at most {self.longest}"
                )
            try:
                seen.update(self.codec.key(example.fact.parts))
            except ValueError as error:
                raise ExampleError(f"the fact of {example.question[:40]!r}: {error}") from error
            seen.update(asked)
        return torch.tensor(sorted(seen), device=self.learner.output.device)

    def _save(self, position: Position) -> None:
        state = self._optimizer.state_dict()["state"]
        save_checkpoint(self.folder, self._identity, Checkpoint(position, self.learner.adapter.state, state))

    def _digest(self) -> str:
        """Digest of all that decides the course: options, questions, their tokens and the model."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(self.options.model_dump_json().encode())
        digest.update(repr([self.train, self.dev, self._vocabulary.tolist()]).encode())
        digest.update(self.learner.adapter.fingerprint.encode())
        return digest.hexdigest()

    def _report(self, step: int, losses: Losses, rate: float, *, dev: bool = False, best: bool = False) -> Report:
        values = losses.language.item(), losses.siblings.item(), losses.right.item()
        if not all(map(math.isfinite, values)):
            raise DivergedError(
                f"the loss is no longer a number after step {step}: lower learning_rate or loraplus_ratio"
            )
        return Report(step, self.steps, *values, rate, dev, best)


def _batches(train: Sequence[Example], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Numbers of questions, each in one batch of an epoch: a function of the seed and the epoch alone."""
    rng = np.random.default_rng((seed, 0, epoch))
    order = rng.permutation(len(train)).tolist()
    found: list[list[int]] = []
    for start in range(0, len(order), BATCHES_SORTED_TOGETHER * size):
        pool = sorted(order[start : start + BATCHES_SORTED_TOGETHER * size], key=lambda i: _length(train[i]))
        found += [pool[at : at + size] for at in range(0, len(pool), size)]
    return [found[i] for i in rng.permutation(len(found))]


def _length(example: Example) -> int:
    return len(example.question) + sum(map(len, example.fact.parts))
