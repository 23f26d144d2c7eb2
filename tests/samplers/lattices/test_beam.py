"""Beam search against every path of small lattices."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from samplers.lattices.beam import Beam, Path, search
from samplers.lattices.language import NextTokens, TokenIds
from samplers.lattices.lattice import Arc, Lattice, Node

TOKENS = 12


@dataclass(frozen=True, eq=False)
class ToyPrefix:
    tokens: tuple[int, ...]
    next: NextTokens


@dataclass
class ToyModel:
    """A law of the next token that hangs on the last ``order`` tokens, each law drawn once."""

    order: int
    seed: int = 0
    laws: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)
    read_tokens: int = 0

    def law(self, tokens: Sequence[int]) -> np.ndarray:
        last = tuple(tokens)[-self.order :] if self.order else ()
        if last not in self.laws:
            rng = np.random.default_rng([self.seed, len(last), *last])
            self.laws[last] = np.log(rng.dirichlet(np.full(TOKENS, 0.5)))
        return self.laws[last]

    def entropy(self, tokens: Sequence[int]) -> float:
        law = self.law(tokens)
        return float(-(np.exp(law) * law).sum() / np.log(TOKENS))

    async def read(
        self,
        prefixes: Sequence[ToyPrefix | None],
        tokens: Sequence[Sequence[int]],
        asked: Sequence[Sequence[TokenIds]],
    ) -> list[list[ToyPrefix]]:
        results = []
        for prefix, new, wanted in zip(prefixes, tokens, asked, strict=True):
            known = () if prefix is None else prefix.tokens
            read = [known + tuple(new[:k]) for k in range(prefix is not None, len(new) + 1)]
            self.read_tokens += len(new)
            results.append(
                [
                    ToyPrefix(each, NextTokens(self.law(each)[ids], self.entropy(each)))
                    for each, ids in zip(read, wanted, strict=True)
                ]
            )
        return results


def a_lattice(rng: np.random.Generator, length: int = 5) -> Lattice:
    """Tokens of one or two characters, several for each text; the given path is the first arc of each node."""
    nodes = []
    for at in range(length):
        arcs = []
        for token in rng.choice(TOKENS, 4, replace=False).tolist():
            size = 1 if at + 2 > length or token % 3 else 2
            text = "abcdefgh"[token % 5] * size
            arcs.append(Arc(token, at + size, text, -float(rng.exponential(2)), float(rng.normal())))
        nodes.append(Node.of(arcs))
    given, at = [], 0
    while at < length:
        number = int(np.argmin(nodes[at].stops))
        given.append(number)
        at = int(nodes[at].stops[number])
    return Lattice([*nodes, Node.of([])], given)


def every_path(model: ToyModel, lattice: Lattice, node: int = 0, path: Path | None = None) -> Iterator[Path]:
    path = path or Path()
    if node == len(lattice.nodes) - 1:
        yield path
        return
    tokens = [arc.token for arc in path.arcs]
    law, entropy = model.law(tokens), model.entropy(tokens)
    for number in range(len(lattice.nodes[node].texts)):
        arc = lattice.nodes[node].arc(number)
        gain = law[arc.token] + (1 + entropy) * arc.distortion + arc.reward
        yield from every_path(model, lattice, arc.stop, path.onward(arc, gain, law[arc.token]))


def densest(paths: Iterator[Path]) -> dict[str, float]:
    """By text the density of the densest path that writes it."""
    found: dict[str, float] = {}
    for path in paths:
        found[path.text] = max(path.log_density, found.get(path.text, -np.inf))
    return found


def found_by(model: ToyModel, lattices: Sequence[Lattice], beam: Beam, at_once: int = 3) -> list[list[Path]]:
    async def given() -> AsyncIterator[Lattice]:
        for lattice in lattices:
            yield lattice

    async def run() -> dict[int, list[Path]]:
        return {number: paths async for number, paths in search(model, given(), beam, at_once)}

    found = asyncio.run(run())
    return [found[number] for number in range(len(lattices))]


LATTICES = [a_lattice(np.random.default_rng(seed)) for seed in range(8)]


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_without_bounds_every_text_is_found_with_its_density(at_once: int) -> None:
    model = ToyModel(order=1)
    # Of the ways to write a beginning the densest alone goes on: exact where each text has one way.
    lattices = [one_way(lattice) for lattice in LATTICES]
    for lattice, paths in zip(lattices, found_by(model, lattices, Beam(paths=10_000), at_once), strict=True):
        expected = densest(every_path(model, lattice))
        assert {path.text for path in paths} == expected.keys()
        assert [path.log_density for path in paths] == pytest.approx(sorted(expected.values(), reverse=True))
        for path in paths:
            assert path.log_density == pytest.approx(expected[path.text])
            assert path.log_prob == pytest.approx(sum(log_probs(model, path)))
            assert "".join(arc.text for arc in path.arcs) == path.text


def one_way(lattice: Lattice) -> Lattice:
    """The same with another text for each token."""
    nodes = []
    for node in lattice.nodes:
        arcs = [node.arc(number) for number in range(len(node.texts))]
        nodes.append(Node.of([replace(arc, text="abcdefghijkl"[arc.token] * len(arc.text)) for arc in arcs]))
    return Lattice(nodes, lattice.given)


def log_probs(model: ToyModel, path: Path) -> Iterator[float]:
    tokens = [arc.token for arc in path.arcs]
    for k, token in enumerate(tokens):
        yield float(model.law(tokens[:k])[token])


def test_of_the_ways_to_write_a_text_a_denser_one_is_kept() -> None:
    model = ToyModel(order=0)  # what goes before is no matter, so the densest beginning is of the densest text
    for lattice, paths in zip(LATTICES, found_by(model, LATTICES, Beam(paths=10_000)), strict=True):
        expected = densest(every_path(model, lattice))
        assert {path.text: path.log_density for path in paths} == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2])
def test_a_horizon_as_long_as_the_models_memory_changes_nothing(order: int) -> None:
    model = ToyModel(order)
    lattices = [one_way(lattice) for lattice in LATTICES]
    # A token has two characters at most.
    beam = Beam(horizon=2 * order, others=1000, paths=10_000)
    for lattice, paths in zip(lattices, found_by(model, lattices, beam), strict=True):
        expected = densest(every_path(model, lattice))
        assert {path.text: path.log_density for path in paths} == pytest.approx(expected)


def test_a_horizon_saves_reading() -> None:
    read = {}
    for horizon in (None, 2):
        model = ToyModel(1)
        found_by(model, [one_way(lattice) for lattice in LATTICES], Beam(horizon=horizon))
        read[horizon] = model.read_tokens
    assert read[2] < read[None]


def test_what_is_read_is_let_go_once_it_has_been_gone_on_from() -> None:
    """Keys and values of every prefix ever read would fill the memory."""

    @dataclass
    class Counting(ToyModel):
        alive: weakref.WeakSet[ToyPrefix] = field(default_factory=weakref.WeakSet)
        most: int = 0

        async def read(self, *asked: Any) -> list[list[ToyPrefix]]:
            self.most = max(self.most, len(self.alive))
            results = await super().read(*asked)
            self.alive.update(prefix for each in results for prefix in each)
            return results

    rng = np.random.default_rng(0)
    for length in (5, 40):
        model = Counting(order=9)
        found_by(model, [one_way(a_lattice(rng, length))], Beam(width=4))
        # The given path's, and at a node and the next what the beam keeps.
        assert model.most <= length + 1 + 3 * 4


@pytest.mark.parametrize("beam", [Beam(width=2), Beam(margin=3.0), Beam(branch=2.0), Beam(4, 4.0, 4.0, 3)])
def test_bounds_only_leave_out(beam: Beam) -> None:
    model = ToyModel(order=9)
    lattices = [one_way(lattice) for lattice in LATTICES]
    left_out = 0
    for lattice, paths in zip(lattices, found_by(model, lattices, beam), strict=True):
        expected = densest(every_path(model, lattice))
        given = "".join(arc.text for arc in lattice.given_path)
        assert given in {path.text for path in paths}  # is never dropped
        if beam.horizon is None:
            for path in paths:
                assert path.log_density == pytest.approx(expected[path.text])
        left_out += len(expected) - len(paths)
    assert left_out > 0


def test_a_hint_keeps_an_arc_and_is_no_part_of_the_density() -> None:
    model = ToyModel(order=1)
    lattice = one_way(LATTICES[0])
    first = lattice.nodes[0]
    worst = int(np.argmin(model.law(())[first.tokens] + 2 * first.distortions + first.rewards))
    narrow = Beam(branch=0.0)

    def texts(lattice: Lattice) -> dict[str, float]:
        return {path.text: path.log_density for path in found_by(model, [lattice], narrow)[0]}

    hinted = Node(first.texts, first.tokens, first.stops, first.distortions, first.rewards, np.eye(4)[worst] * 99)
    found = texts(Lattice([hinted, *lattice.nodes[1:]], lattice.given))
    extra = {text: density for text, density in found.items() if text.startswith(first.texts[worst])}
    assert extra and not any(text.startswith(first.texts[worst]) for text in texts(lattice))
    expected = densest(every_path(model, lattice))
    assert extra == pytest.approx({text: expected[text] for text in extra})


@pytest.mark.parametrize(
    ("nodes", "given"),
    [
        ([[Arc(0, 0, "a")], []], [0]),
        ([[Arc(0, 2, "a")], []], [0]),
        ([[Arc(0, 1, "a")], [Arc(0, 2, "a")], []], [0]),
    ],
)
def test_a_lattice_that_leads_nowhere_is_refused(nodes: list[list[Arc]], given: list[int]) -> None:
    with pytest.raises(ValueError, match="node"):
        Lattice([Node.of(arcs) for arcs in nodes], given)
