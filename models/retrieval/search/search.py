"""Search a batch of questions together."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.logit import Ranking, features
from models.retrieval.search.beam import Complete, beam
from models.retrieval.search.best_first import best_first
from models.retrieval.search.look_ahead import LookAhead
from models.retrieval.search.mentions import Mentions
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.rerank import rerank_by_channel
from models.retrieval.search.score_given import score_given
from models.retrieval.search.stem import Choice, Stem, Walker
from models.retrieval.writers.base import KeyModel
from models.retrieval.writers.codec import KeyCodec

MAX_TOGETHER = 32
"""Questions that share forwards; more would only take memory."""

_Course = Generator[Sequence[Choice], Sequence[Stem], Answer]


def search(index: PrefixIndex, model: KeyModel, questions: Sequence[str], options: SearchOptions) -> list[Answer]:
    """The best keys of an index for each question.

    At each round the open hypotheses of all questions ask the index once and the model once.

    Raises:
        ValueError: a question is too long for the model.
    """
    answers: dict[int, Answer] = {}
    for done in rounds(index, model, questions, options):
        answers |= done
    return [answers[i] for i in range(len(questions))]


def rounds(
    index: PrefixIndex, model: KeyModel, questions: Sequence[str], options: SearchOptions, together: int = MAX_TOGETHER
) -> Iterator[dict[int, Answer]]:
    """The same search, one forward at a time, so that other work can go between; ``together`` questions share forwards.

    Yields:
        After each round the answers that it completed, often none, by the number of their question.

    Raises:
        ValueError: a question is too long for the model.
    """
    if not len(index):
        yield {i: Answer((), 0, proven=options.mode == "exact") for i in range(len(questions))}
        return
    for start in range(0, len(questions), together):
        for done in _together(index, model, questions[start : start + together], options):
            yield {start + i: answer for i, answer in done.items()}


def _together(
    index: PrefixIndex, model: KeyModel, questions: Sequence[str], options: SearchOptions
) -> Iterator[dict[int, Answer]]:
    walker = Walker(index, model.read(questions), model.codec.end, options.raw)
    courses = {i: _course(i, text, index, model.codec, options) for i, text in enumerate(questions)}
    wanted = {i: next(course) for i, course in courses.items()}
    while wanted:
        stems = iter(walker.follow([choice for choices in wanted.values() for choice in choices]))
        asked, wanted = wanted, {}
        answers: dict[int, Answer] = {}
        for i, choices in asked.items():
            try:
                wanted[i] = courses[i].send([next(stems) for _ in choices])
            except StopIteration as done:
                answers[i] = done.value
        if options.noisy_channel is not None:
            for i, answer in answers.items():
                yield {}
                ordered = rerank_by_channel(options.noisy_channel, model.codec, questions[i], answer)
                answers[i] = replace(ordered, found=ordered.found[: options.n])
        yield answers


def _course(number: int, text: str, index: PrefixIndex, codec: KeyCodec, options: SearchOptions) -> _Course:
    if options.mode == "exact":
        outcome = yield from best_first(number, options, codec.end)
        found = [_found(key, index, options) for key in outcome.keys]
        return Answer(tuple(found), outcome.expansions, outcome.proven)
    prior = LookAhead(index, codec, text, options.look_ahead, 4 * options.beams) if options.look_ahead else None
    known: dict[tuple[int, ...], Stem] = {}
    keys = yield from _remembering(beam(number, options, codec.end, prior), known)
    if options.ranking is not None:
        finished = {key.tokens for key in keys}
        others = [key for key in Mentions(index, codec).of(text) if (*key, codec.end) not in finished]
        keys = keys + (yield from _remembering(score_given(number, others, codec.end), known))
        keys = ranked(options.ranking, text, keys, codec)
    wanted = options.n if options.noisy_channel is None else len(keys)
    return Answer(tuple(_found(key, index, options) for key in keys[:wanted]), len(known), proven=False)


def ranked(ranking: Ranking, text: str, keys: Sequence[Complete], codec: KeyCodec) -> list[Complete]:
    """Keys in the order, and with the ranks, of a fitted ranking."""
    if not keys:
        return []
    parts = [codec.parts(key.tokens) for key in keys]
    logs = ranking.log_probs(
        features(text, parts, [key.renormalised for key in keys], [len(key.tokens) for key in keys])
    )
    return [replace(keys[i], rank=float(logs[i])) for i in np.argsort(-logs, kind="stable")]


def _remembering(
    inner: Generator[Sequence[Choice], Sequence[Stem], list[Complete]], known: dict[tuple[int, ...], Stem]
) -> Generator[Sequence[Choice], Sequence[Stem], list[Complete]]:
    """A search that asks only for stems that are not known yet, by what is written when they are chosen."""
    choices = next(inner)
    while True:
        new = {choice.tokens: choice for choice in choices if choice.tokens not in known}
        if new:
            known |= zip(new, (yield list(new.values())), strict=True)
        try:
            choices = inner.send([known[choice.tokens] for choice in choices])
        except StopIteration as done:
            return cast(list[Complete], done.value)


def _found(key: Complete, index: PrefixIndex, options: SearchOptions) -> Found:
    tokens = key.tokens[:-1]
    number = index.find(tokens)
    if number is None:
        raise RuntimeError(f"the index led to a key that it does not find: {tokens}")
    return Found(number, tokens, key.rank, key.renormalised, key.raw if options.raw else None)
