"""Search a batch of questions together."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from models.retrieval.codec import KeyCodec
from models.retrieval.model import KeyModel
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.search.beam import Complete, beam
from models.retrieval.search.best_first import best_first
from models.retrieval.search.look_ahead import LookAhead
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.stem import Choice, Stem, Walker

TOGETHER = 32
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
    index: PrefixIndex, model: KeyModel, questions: Sequence[str], options: SearchOptions, together: int = TOGETHER
) -> Iterator[dict[int, Answer]]:
    """The same search, one forward at a time, so that other work can go between.

    Args:
        index, model, questions, options: see :func:`search`.
        together: questions that share forwards.

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
        yield answers


def _course(number: int, text: str, index: PrefixIndex, codec: KeyCodec, options: SearchOptions) -> _Course:
    if options.mode == "exact":
        outcome = yield from best_first(number, options, codec.end)
        found = [_found(key, index, options) for key in outcome.keys]
        return Answer(tuple(found), outcome.expansions, outcome.proven)
    prior = LookAhead(index, codec, text, options.look_ahead, 4 * options.beams) if options.look_ahead else None
    expansions = 0

    def counted(inner: Generator[Sequence[Choice], Sequence[Stem], list[Complete]]) -> Any:
        nonlocal expansions
        choices = next(inner)
        while True:
            expansions += len(choices)
            try:
                choices = inner.send((yield choices))
            except StopIteration as done:
                return done.value

    keys = yield from counted(beam(number, options, codec.end, prior))
    return Answer(tuple(_found(key, index, options) for key in keys[: options.n]), expansions, proven=False)


def _found(key: Complete, index: PrefixIndex, options: SearchOptions) -> Found:
    tokens = key.tokens[:-1]
    number = index.find(tokens)
    if number is None:
        raise RuntimeError(f"the index led to a key that it does not find: {tokens}")
    return Found(number, tokens, key.rank, key.renormalised, key.raw if options.raw else None)
