"""Search a batch of questions together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

import numpy as np

from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.logit import Ranking, features
from models.retrieval.search.beam import Complete, beam
from models.retrieval.search.best_first import best_first
from models.retrieval.search.explanation import explanations, terms
from models.retrieval.search.look_ahead import LookAhead
from models.retrieval.search.mentions import Mention, Mentions
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.rerank import columns, rerank_by_channel, with_terms
from models.retrieval.search.score_given import score_given
from models.retrieval.search.stem import Course, Stem, Walker
from models.retrieval.writers.base import KeyModel
from models.retrieval.writers.codec import KeyCodec

MAX_TOGETHER = 32
"""Questions that share forwards; more would only take memory."""

T = TypeVar("T")


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
    for answers in walker.together(courses):
        if options.noisy_channel is not None:
            for i, answer in answers.items():
                yield {}
                ordered = rerank_by_channel(options.noisy_channel, model.codec, questions[i], answer)
                found, others = ordered.found[: options.n], ordered.found[options.n :]
                answers[i] = replace(ordered, found=found, others=others if options.explain else ())
        yield answers


def _course(number: int, text: str, index: PrefixIndex, codec: KeyCodec, options: SearchOptions) -> Course[Answer]:
    known: dict[tuple[int, ...], Stem] = {}
    if options.mode == "exact":
        searching = best_first(number, options, codec.end)
        outcome = yield from (_remembering(searching, known) if options.explain else searching)
        answer = _answer(outcome.keys, index, options, outcome.expansions, proven=outcome.proven)
        return _explained(answer, known, options, codec, text) if options.explain else answer
    prior = LookAhead(index, codec, text, options.look_ahead, 4 * options.beams) if options.look_ahead else None
    keys = yield from _remembering(beam(number, options, codec.end, prior), known)
    mentions: list[Mention] = []
    added: list[Complete] = []
    if options.ranking is not None:
        mentions, finished = Mentions(index, codec).of(text), {key.tokens for key in keys[: options.beams]}
        others = [key for one in mentions for key in one.keys if (*key, codec.end) not in finished]
        added = yield from _remembering(score_given(number, others, codec.end), known)
        keys = ranked(options.ranking, text, keys[: options.beams] + added, codec)
    answer = _answer(keys, index, options, len(known), proven=False)
    if not options.explain:
        return answer
    return _explained(answer, known, options, codec, text, mentions, {key.tokens for key in added})


def _answer(
    keys: Sequence[Complete], index: PrefixIndex, options: SearchOptions, expansions: int, *, proven: bool
) -> Answer:
    """The keys wanted, of all candidates in order; a noisy channel wants them all."""
    wanted = options.n if options.noisy_channel is None else len(keys)
    found = tuple(_found(key, index, options) for key in (keys if options.explain else keys[:wanted]))
    return Answer(found[:wanted], expansions, proven, found[wanted:])


def _explained(
    answer: Answer,
    known: Mapping[tuple[int, ...], Stem],
    options: SearchOptions,
    codec: KeyCodec,
    text: str,
    mentions: Sequence[Mention] = (),
    added: Collection[tuple[int, ...]] = (),
) -> Answer:
    """The answer with the explanations of its keys and of those that lost."""
    found = answer.found + answer.others
    keys = [(*one.tokens, codec.end) for one in found]
    whys = explanations(keys, known, options.mode, added, mentions, raw=options.raw)
    found = tuple(replace(one, explanation=why) for one, why in zip(found, whys, strict=True))
    if options.ranking is not None:
        rows = terms(options.ranking, columns(codec, text, found))
        found = tuple(with_terms(one, "first", row) for one, row in zip(found, rows, strict=True))
    wanted = len(answer.found)
    return replace(answer, found=found[:wanted], others=found[wanted:])


def ranked(ranking: Ranking, text: str, keys: Sequence[Complete], codec: KeyCodec) -> list[Complete]:
    """Keys in the order, and with the ranks, of a fitted ranking."""
    if not keys:
        return []
    parts = [codec.parts(key.tokens) for key in keys]
    logs = ranking.log_probs(
        features(text, parts, [key.renormalised for key in keys], [len(key.tokens) for key in keys])
    )
    return [replace(keys[i], rank=float(logs[i])) for i in np.argsort(-logs, kind="stable")]


def _remembering(inner: Course[T], known: dict[tuple[int, ...], Stem]) -> Course[T]:
    """A search that asks only for stems that are not known yet, by what is written when they are chosen."""
    choices = next(inner)
    while True:
        new = {choice.tokens: choice for choice in choices if choice.tokens not in known}
        if new:
            known |= zip(new, (yield list(new.values())), strict=True)
        try:
            choices = inner.send([known[choice.tokens] for choice in choices])
        except StopIteration as done:
            return cast(T, done.value)


def _found(key: Complete, index: PrefixIndex, options: SearchOptions) -> Found:
    tokens = key.tokens[:-1]
    number = index.find(tokens)
    if number is None:
        raise RuntimeError(f"the index led to a key that it does not find: {tokens}")
    return Found(number, tokens, key.rank, key.renormalised, key.raw if options.raw else None)
