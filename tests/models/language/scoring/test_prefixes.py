"""Prefixes read token by token, and lattices searched with them, against whole texts by the model's own forward."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.kv_cache import Context
from models.language.scoring.prefixes import Readings, ReadPrefix
from models.language.scoring.scorer import CausalScorer
from samplers.lattices.beam import Beam, Path, search
from samplers.lattices.language import TokenIds
from samplers.lattices.lattice import Arc, Lattice, Node
from tests.support.tiny_model import CONFIGS, engine, vocabulary

MASK = vocabulary(range(5, 25), 18, 2, name="prefixes")
CONTEXT = (2, 19, 30, 11)


@dataclass(eq=False)
class Reader:
    """The scorer as a search in lattices sees it."""

    scorer: CausalScorer
    output: MaskedOutput
    context: Context

    async def read(
        self,
        prefixes: Sequence[ReadPrefix | None],
        tokens: Sequence[Sequence[int]],
        asked: Sequence[Sequence[TokenIds]],
    ) -> list[list[ReadPrefix]]:
        local = self.output.vocabulary.local_ids
        wanted = [[local[ids] for ids in each] for each in asked]
        work = Readings(self.scorer, self.context, self.output, prefixes, tokens, wanted)
        return work.run([work])[0]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_lattice_has_the_densities_that_its_paths_have_alone(config: str) -> None:
    scorer, plain = engine(CONFIGS[config](), MASK)
    output = scorer.forward.output(MASK)
    reader = Reader(scorer, output, scorer.context(CONTEXT, output))
    rng = np.random.default_rng(4)
    lattices = [a_lattice(rng, length) for length in (3, 4, 5)]

    async def given() -> AsyncIterator[Lattice]:
        for lattice in lattices:
            yield lattice

    async def run() -> dict[int, list[Path]]:
        return {number: paths async for number, paths in search(reader, given(), Beam(paths=1000), 2)}

    for number, paths in asyncio.run(run()).items():
        assert len(paths) == np.prod([len(node.texts) for node in lattices[number].nodes[:-1]])
        for path in paths[:: max(1, len(paths) // 20)]:
            rows = plain.rows([*CONTEXT, *(arc.token for arc in path.arcs)])[len(CONTEXT) - 1 : -1]
            entropies = -(np.exp(rows) * rows).sum(-1) / np.log(len(MASK))
            log_probs = [row[int(MASK.local_ids[arc.token])] for row, arc in zip(rows, path.arcs, strict=True)]
            gains = [
                log_prob + (1 + entropy) * arc.distortion + arc.reward
                for log_prob, entropy, arc in zip(log_probs, entropies, path.arcs, strict=True)
            ]
            assert path.log_prob == pytest.approx(sum(log_probs), abs=1e-4)
            assert path.log_density == pytest.approx(sum(gains), abs=1e-4)


def a_lattice(rng: np.random.Generator, length: int) -> Lattice:
    nodes = [
        Node.of(
            [
                Arc(int(token), at + 1, chr(96 + int(token)), -float(rng.exponential()), float(rng.normal()))
                for token in rng.choice(MASK.ids, 3, replace=False)
            ]
        )
        for at in range(length)
    ]
    return Lattice([*nodes, Node.of([])], [0] * length)


def test_works_of_several_requests_read_as_each_alone() -> None:
    scorer, _ = engine(CONFIGS["gemma3"](), MASK)
    output = scorer.forward.output(MASK)
    asked = np.arange(len(MASK))
    contexts = [scorer.context(tokens, output) for tokens in (CONTEXT, (2, 7))]

    def work(context: Context, texts: Sequence[Sequence[int]]) -> Readings:
        wanted = [[asked] * (len(text) + 1) for text in texts]
        return Readings(scorer, context, output, [None] * len(texts), texts, wanted)

    texts = [[7, 9, 8], [], [10, 11]]
    works = [work(context, texts) for context in contexts]
    together = works[0].run(works)
    for one, results in zip(works, together, strict=True):
        for text, prefixes in zip(texts, results, strict=True):
            (alone,) = work(one.context, [text]).run([work(one.context, [text])])[0]
            assert len(prefixes) == len(text) + 1 == len(alone)
            for ours, its in zip(prefixes, alone, strict=True):
                assert ours.next.log_probs == pytest.approx(its.next.log_probs, abs=1e-5)
                assert ours.next.entropy == pytest.approx(its.next.entropy, abs=1e-5)
                assert np.exp(ours.next.log_probs).sum() == pytest.approx(1, abs=1e-4)
            # What was read goes on from any of its prefixes.
            if text:
                middle = prefixes[1]
                rest = Readings(scorer, one.context, output, [middle], [[*text[1:], 12]], [[asked] * len(text)])
                onward = rest.run([rest])[0][0]
                if len(text) > 1:
                    assert onward[-2].next.log_probs == pytest.approx(prefixes[-1].next.log_probs, abs=1e-5)
                assert onward[-1].kv is not None and len(onward[-1].kv) == len(text) + 1
        assert one.usage.lm_tokens == 5


def test_prefixes_share_no_memory_with_their_batch() -> None:
    scorer, _ = engine(CONFIGS["gemma3"](), MASK)
    output = scorer.forward.output(MASK)
    none = np.empty(0, dtype=np.int64)
    texts = [[7, 9], [8] * 50]
    work = Readings(scorer, scorer.context(CONTEXT, output), output, [None, None], texts, [[none] * 3, [none] * 51])
    ((_, _, last), _) = work.run([work])[0]
    assert last.kv is not None and last.kv.untyped_storage().nbytes() == last.kv.nbytes
    assert torch.isfinite(last.kv).all()
