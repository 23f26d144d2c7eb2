"""Whether chains keep their law on the real model, and after how many steps chains from first states have come to it.

    python -m benchmarks.perfect_start [--replicates N] [--steps N ...] [--output benchmarks/perfect_start.json]

Sentences are drawn from the model under the default context, and some of their own words are the keywords, so that each
is an exact draw of the law of chains with them (``samplers.testing.perfect_start``). Per replicate one sentence:

- ``stay``: its ranks among chains that go from it back, and forth again, are uniform if the kernel keeps the law;
- ``drafts``, ``smc``: its ranks among chains from such first states are uniform once these have reached the law.

For each statistic the p-value of the ranks (null for fewer than 5 (L + 1) replicates, L chains beside each) and their
mean, as a share of L: 0.5 where the exact draws and the chains are alike, with a standard error of
sqrt((L + 2) / (12 L R)) for R replicates; above 0.5 where the chains have lower values.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.languages.base import Language
from app.languages.registry import LANGUAGES, masks
from app.settings.settings import Settings
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.prepare import kernel_of
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.starts import PARTICLE_STREAM, sequential
from app.web.problems import ProblemError
from benchmarks.machine import machine, write
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import Session
from models.language.vocabulary import Vocabulary
from samplers.constraints.length import LengthBounds, tokens
from samplers.first_states import InfeasibleError, KeywordBlocks
from samplers.kernels.base import Chain, Kernel
from samplers.rejection import Rejection
from samplers.routing import construct_each
from samplers.run import generators
from samplers.state import State
from samplers.target import Target
from samplers.testing.perfect_start import (
    STATISTICS,
    ChosenPlaces,
    Places,
    advanced,
    beside,
    keywords_of,
    perfect_starts,
    ranks,
    uniformity,
)

MIXES: dict[str, dict[str, float]] = {"today": {}, "long": {"redraw": 0.4, "redraw_span": 0.3, "shift": 0.1}}
TOKENS = 20
"""Most tokens of a sentence, the closing one included: a bound that draws and chains have alike."""

Values = npt.NDArray[np.float64]
"""Each statistic of an exact draw, then of the chains beside it, (statistics, 1 + draws)."""


@dataclass(frozen=True, eq=False)
class Exact:
    """An exact draw and the law of its keywords.

    Attributes:
        state: the sentence, its keywords labelled.
        words: the keywords.
        problem: of a request for them, with the potential under which the draw is exact.
        options: of the request.
    """

    state: State
    words: list[str]
    problem: SamplingProblem
    options: SamplerOptions

    def kernel(self, moves: dict[str, float]) -> Kernel:
        """Of one mix of moves."""
        weighted = self.options.moves.model_copy(update=moves)
        return kernel_of(self.problem, self.options.model_copy(update={"moves": weighted}))


def content_words(language: Language, vocabulary: Vocabulary) -> Places:
    """Words that are no function words and begin and end where tokens do."""

    function_words = {word.lower() for word in language.function_words}

    def places(sentence: Sequence[int]) -> list[slice]:
        text = vocabulary.decode(sentence)
        pieces = [vocabulary.piece(token) for token in sentence]
        joined = "".join(pieces)
        at = len(joined.lstrip()) - len(joined)
        begins, ends = dict[int, int](), dict[int, int]()
        for i, piece in enumerate(pieces):
            begins[at + len(piece) - len(piece.lstrip())] = i
            at += len(piece)
            ends[at] = i + 1
        return [
            slice(begins[start], ends[stop])
            for start, stop in language.word_spans(text)
            if start in begins and stop in ends and text[start:stop].lower() not in function_words
        ]

    return places


def exact(state: State, model: LoadedModel, language: Language, vocabulary: Vocabulary, places: Places) -> Exact | None:
    """The draw with its law; None if chains with its keywords may not stand there.

    All that is asked depends on the state with its labels, so those that are left are draws of the law of chains.
    """
    words = [vocabulary.decode(block) for block in keywords_of(state)]
    body = {"keywords": words, "language": language.code, "length": {"max": TOKENS, "unit": "tokens"}}
    try:
        request = SentencesRequest.model_validate(body | {"sampler": {"kind": "metropolis"}})
        problem = make_problem(request, model, Settings().limits)
    except (ProblemError, ValueError):
        return None
    assert isinstance(problem.source, KeywordBlocks) and isinstance(request.sampler, SamplerOptions)
    spelled = [[block] for block in keywords_of(state)] == [list(forms) for forms in problem.source.forms]
    free = all(vocabulary.local[state.tokens[i]] < vocabulary.interior for i in state.free)
    same = problem.vocabulary.name == vocabulary.name
    if not (spelled and free and same and problem.target.admits(state)):
        return None
    target = replace(problem.target, potential=ChosenPlaces(places))
    return Exact(state, words, replace(problem, target=target), request.sampler)


async def drawn(
    model: LoadedModel, language: Language, batcher: Batcher, arguments: argparse.Namespace
) -> tuple[list[Exact], int]:
    """As many exact draws as asked for, and the number of sentences they were found among."""
    vocabulary = model.vocabulary(language.masks[0].name)
    session = await Session.open(model, vocabulary.name, language.context(None), batcher)
    places, ends = content_words(language, vocabulary), frozenset(vocabulary.end_tokens)
    short = Target(vocabulary.decode, [LengthBounds(tokens, 0, TOKENS)])
    nothing = KeywordBlocks([], False, min(ends))
    found: list[Exact] = []
    sentences = 0
    while len(found) < arguments.replicates:
        # Of another seed each time, all in the order drawn, so that what is kept does not hang on how soon it was.
        texts = Rejection(short, nothing, lambda t: t not in ends, ends.__contains__, 10**6, 64, TOKENS)
        states = await perfect_starts(texts, session, places, arguments.keywords, arguments.seed + sentences)
        sentences += 64
        found += [one for state in states if (one := exact(state, model, language, vocabulary, places))]
    return found[: arguments.replicates], sentences


def values(chains: Sequence[Chain]) -> Values:
    """Each statistic of each chain."""
    return np.array([[value(chain) for chain in chains] for value in STATISTICS.values()], float)


async def replicate(
    one: Exact, session: Session, moves: dict[str, float], arguments: argparse.Namespace, seed: int
) -> dict[tuple[str, int], Values]:
    """All tests of one exact draw, by kind and number of steps; a kind without a first state is left out."""
    kernel, found = one.kernel(moves), dict[tuple[str, int], Values]()
    own, others = await beside(kernel, session, [one.state], arguments.draws, arguments.stay, seed)
    found["stay", arguments.stay] = values([*own, *(chain for chains in others for chain in chains)])
    for number, start in enumerate(arguments.starts):
        rngs = generators(seed + 2**33 + number, arguments.draws)
        smc = sequential(one.problem, one.options.model_copy(update={"start": start}))
        try:
            first = await construct_each(
                one.problem.source,
                one.problem.target,
                [session] * arguments.draws,
                rngs,
                smc=smc,
                seed=seed + PARTICLE_STREAM,
            )
        except InfeasibleError:
            continue
        chains = await kernel.init(first, session)
        for steps in sorted(arguments.steps):
            chains = await advanced(kernel, chains, session, rngs, steps)
            found[start, steps] = values([*own, *chains])
    return found


async def measured(
    exacts: Sequence[Exact],
    model: LoadedModel,
    batcher: Batcher,
    moves: dict[str, float],
    arguments: argparse.Namespace,
    rng: np.random.Generator,
) -> tuple[list[dict[str, Any]], int]:
    """The figures of one language and mix, and the LM tokens read; ``rng`` breaks ties."""
    slots, read, done = asyncio.Semaphore(arguments.together), 0, 0

    async def with_session(number: int, one: Exact) -> dict[tuple[str, int], Values]:
        nonlocal read, done
        async with slots:
            problem = one.problem
            session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher)
            found = await replicate(one, session, moves, arguments, 1000 * arguments.seed + number)
            read, done = read + session.usage.lm_tokens, done + 1
            print(f"{done}/{len(exacts)} {one.words} {problem.vocabulary.decode(one.state.tokens)}", flush=True)
            return found

    every = await asyncio.gather(*(with_session(*each) for each in enumerate(exacts)))
    rows = []
    for kind, steps in dict.fromkeys(key for found in every for key in found):
        stacked = np.stack([found[kind, steps] for found in every if (kind, steps) in found], -1)
        row: dict[str, Any] = {"kind": kind, "steps": steps, "replicates": stacked.shape[-1]}
        for name, value in zip(STATISTICS, stacked, strict=True):
            placed = ranks(value[0], value[1:], rng, decimals=4)
            counts = np.bincount(placed, minlength=arguments.draws + 1).tolist()
            mean = float(placed.mean() / arguments.draws)
            p = uniformity(placed, arguments.draws) if len(placed) >= 5 * len(counts) else None
            row[name] = {"p": p, "mean_rank": mean, "counts": counts}
        rows.append(row)
    return rows, read


async def main(arguments: argparse.Namespace) -> None:
    """Measure, print, write after each mix."""
    settings = Settings()
    result: dict[str, Any] = {"machine": machine(), "options": {**vars(arguments)}, "rows": []}
    del result["options"]["output"]
    model = load("default", cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules()))
    batcher, rng = Batcher(ThreadPoolExecutor(1)), np.random.default_rng(arguments.seed)
    for code in arguments.languages:
        language = LANGUAGES[code]
        exacts, sentences = await drawn(model, language, batcher, arguments)
        for mix in arguments.mixes:
            began = time.perf_counter()
            rows, read = await measured(exacts, model, batcher, MIXES[mix], arguments, rng)
            for row in rows:
                figures = [f"{name} p {row[name]['p']} mean {row[name]['mean_rank']:.2f}" for name in STATISTICS]
                print(code, mix, row["kind"], row["steps"], *figures, sep=" | ", flush=True)
            result["rows"].append(
                {
                    "language": code,
                    "mix": mix,
                    "moves": MIXES[mix],
                    "sentences": sentences,
                    "seconds": time.perf_counter() - began,
                    "lm_tokens": read,
                    "tests": rows,
                }
            )
            write(arguments.output, result | {"model": model.name})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=100, help="exact draws of each language")
    parser.add_argument("--draws", type=int, default=7, help="chains beside each")
    parser.add_argument("--keywords", type=int, default=2, help="words that are keywords")
    parser.add_argument("--stay", type=int, default=50, help="steps back, and forth")
    parser.add_argument("--steps", type=int, nargs="*", default=[0, 50, 100, 200, 400], help="of chains from elsewhere")
    parser.add_argument("--starts", nargs="*", default=["drafts", "smc"], choices=["drafts", "smc"])
    parser.add_argument("--languages", nargs="*", default=["zh", "en"], choices=["zh", "en"])
    parser.add_argument("--mixes", nargs="*", default=list(MIXES), choices=list(MIXES))
    parser.add_argument("--together", type=int, default=8, help="replicates side by side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("perfect_start.json"))
    asyncio.run(main(parser.parse_args()))
