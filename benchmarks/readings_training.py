"""Training of the adapter with which the default model reads passages.

``python -m benchmarks.readings_training FOLDER [--data DIRECTORY] [--minutes N] [--without RELATION ...]``

Each step reads passages of :mod:`benchmarks.readings_training_passages`, each with its questions as branches. The
loss is that of :func:`models.retrieval.training.loss.key_losses` over all spans of the passage and the mark for none,
so what is trained is what the search asks for. On passages of the development half, whose facts and wordings are
others, the share of questions is printed whose answer is the likeliest span token by token.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from app.settings.settings import Settings
from app.tasks.readings.forms import FORMS, form_of
from benchmarks.readings_passages import Asked, made
from benchmarks.readings_training_passages import training_passages
from models.language.default_weights import DEFAULT_MODEL
from models.language.loading import dtype_of, load, source_of
from models.language.pretrained import read_weights
from models.retrieval.reading.reader import Reader
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import spans_of
from models.retrieval.training.adapter import Adapter
from models.retrieval.training.causal import Branches, CausalLearner
from models.retrieval.training.loss import Losses, key_losses
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.sampled_index import Choices

LONGEST = 40
"""Characters of a span in training, at most."""
DEV_PASSAGES = 60
SHOWN = 5
"""Steps between lines."""
EVALUATIONS = 4
"""As many while it trains, at equal distances."""
POOL = 16
"""Batches whose passages are sorted by length together."""

Prepared = tuple[Branches, list[Choices], list[Asked]]


def prepared(asked: Sequence[Asked], readers: dict[str, Reader]) -> Prepared:
    """A passage with the questions whose answers are spans of it, and the choice at each token of these."""
    reader, passage = readers[asked[0].language], asked[0].passage
    index = reader.index(passage, spans_of(passage, LONGEST))
    choices, kept = [], []
    for one in asked:
        key = reader.codec.key((reader.form.none if one.answer is None else one.answer,))
        if index.find(key) is not None:
            choices.append(choices_of(index, (*key, reader.codec.end)))
            kept.append(one)
    text = [*reader.opening, *reader.tokens(passage)]
    questions = [reader.codec.question(one.question) for one in kept]
    return Branches(text, questions, [one.key for one in choices]), choices, kept


def choices_of(index: SpanIndex, key: tuple[int, ...]) -> Choices:
    """What an index allows at each token of a key."""
    allowed, node = [], index.root
    for token in key:
        here = index.allowed(np.array([node]))
        next_ = dict(zip(here.tokens.tolist(), here.children.tolist(), strict=True))
        others = set(next_) | ({key[-1]} if here.final[0] else set())
        allowed.append((token, *sorted(others - {token})))
        node = next_.get(token, node)
    return Choices(key, tuple(allowed))


def losses(learner: CausalLearner, batch: Sequence[Prepared]) -> Losses:
    """Of the keys of all questions, over the tokens that occur."""
    choices = [one for _, its, _ in batch for one in its]
    vocabulary = sorted({token for one in choices for allowed in one.allowed for token in allowed})
    hidden = learner.hidden_after([branches for branches, _, _ in batch])
    return key_losses(hidden, learner.output, torch.tensor(vocabulary), choices)


@torch.inference_mode()
def evaluated(learner: CausalLearner, passages: Iterable[Prepared]) -> dict[str, float]:
    """Share of answers that greedy search finds, in percent, by language, case and relation."""
    learner.adapter.model.eval()
    right: dict[str, list[float]] = {}
    for branches, choices, asked in passages:
        hidden = torch.split(learner.hidden_after([branches]), [len(one.key) for one in choices])
        for rows, choice, one in zip(hidden, choices, asked, strict=True):
            found = float(key_losses(rows, learner.output, torch.tensor(sorted(set(choice.key))), [choice]).right)
            for name in (one.language, one.case, one.relation):
                right.setdefault(name, []).append(found)
    learner.adapter.model.train()
    return {name: round(100 * sum(its) / len(its), 1) for name, its in sorted(right.items())}


def sorted_batches(passages: Iterator[list[Asked]], readers: dict[str, Reader], size: int) -> Iterator[list[Prepared]]:
    """Passages of like length together, so that they pad little."""
    while True:
        pool = [one for asked in islice(passages, POOL * size) if (one := prepared(asked, readers))[2]]
        pool.sort(key=lambda one: len(one[0].row().tokens))
        batches = [pool[at : at + size] for at in range(0, len(pool), size)]
        yield from random.Random(len(pool[0][0].text)).sample(batches, len(batches))


def main() -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--minutes", type=float, default=40, help="until the learning rate has fallen")
    parser.add_argument("--threads", type=int, default=2, help="that share the passages of a step")
    parser.add_argument("--batch", type=int, default=2, help="passages a step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", nargs="*", default=[], help="relations that are left out before the last ...")
    parser.add_argument("--share", type=float, default=0.5, help="... part of the time")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings()
    served = load(settings.model, cache=settings.cache_dir, progress=lambda what, share: None, masks=[])
    readers = {
        code: Reader(lambda: served.scorer, served.tokenizer.backend, served.begin, form_of(code, adapted=True))
        for code in FORMS
    }
    place = torch.device("cpu")
    source = source_of(settings.model, settings.cache_dir, lambda what, share: None)
    options = TrainingOptions(batch=arguments.batch, seed=arguments.seed, warmup=20)
    weights = read_weights("AutoModelForCausalLM", source, dtype_of("auto", place), place)
    learner = CausalLearner(Adapter.attach(weights, DEFAULT_MODEL, "CAUSAL_LM", options))
    dev = [one for asked in made("dev", DEV_PASSAGES, seed=7) if (one := prepared(asked, readers))[2]]
    print(f"{sum(len(one[2]) for one in dev)} questions of dev", flush=True)

    def batches(without: Sequence[str]) -> Iterator[list[Prepared]]:
        passages = training_passages(arguments.data, random.Random(arguments.seed), without)
        return sorted_batches(passages, readers, arguments.batch)

    def back(part: Sequence[Prepared]) -> list[float]:
        found = losses(learner, part)
        torch.autograd.backward((found.language + found.siblings) / arguments.threads)
        return [float(one.detach()) for one in (found.language, found.siblings, found.right)]

    optimizer = learner.adapter.optimizer(options)
    peaks = [group["lr"] for group in optimizer.param_groups]
    began, questions, step, recent = time.perf_counter(), 0, 0, list[list[float]]()
    part, all_ = batches(arguments.without), batches([])
    learner.adapter.model.train()
    spent, judged = 0.0, 0
    with ThreadPoolExecutor(arguments.threads) as pool:
        while spent < 1:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * min((step + 1) / options.warmup, 1 - 0.95 * spent)
            batch = next(part if arguments.without and spent < 1 - arguments.share else all_)
            recent += pool.map(back, [batch[at :: arguments.threads] for at in range(arguments.threads)])
            torch.nn.utils.clip_grad_norm_(learner.adapter.parameters, options.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            questions, step = questions + sum(len(one[2]) for one in batch), step + 1
            spent = (time.perf_counter() - began) / 60 / arguments.minutes
            if step % SHOWN == 0:
                means = " ".join(f"{value:.3f}" for value in np.mean(recent, axis=0))
                print(f"{step} {100 * spent:.0f} % {means} {questions} questions", flush=True)
                recent = []
            if int(min(spent, 1) * EVALUATIONS) > judged:
                judged = int(min(spent, 1) * EVALUATIONS)
                learner.adapter.save(arguments.folder)
                print(step, evaluated(learner, dev), flush=True)


if __name__ == "__main__":
    main()
