"""Beam search in lattices under a language model."""

from __future__ import annotations

import heapq
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Generic, TypeVar

import numpy as np

from samplers.lattices.language import Prefix, PrefixModel
from samplers.lattices.lattice import Arc, Lattice

P = TypeVar("P", bound=Prefix)


@dataclass(frozen=True, slots=True)
class Path:
    """A way through a lattice, or the beginning of one.

    Attributes:
        arcs: one after another from the first node.
        text: what they write.
        log_density: see :class:`samplers.lattices.lattice.Lattice`, in nats.
        log_prob: the language model's part of it.
    """

    arcs: tuple[Arc, ...] = ()
    text: str = ""
    log_density: float = 0.0
    log_prob: float = 0.0

    def onward(self, arc: Arc, gain: float, log_prob: float) -> Path:
        """The path with an arc more."""
        return Path((*self.arcs, arc), self.text + arc.text, self.log_density + gain, self.log_prob + log_prob)


@dataclass(frozen=True, slots=True)
class Beam:
    """Bounds of what a search looks at; each is an approximation, and without them every text of the lattice is found.

    Attributes:
        width: most paths to a node.
        margin: nats below the best path to its node from which on a path is dropped.
        branch: nats below the best arc, or the given one, from which on an arc is not followed.
        horizon: characters back from which on texts may differ and still go on alike: of paths to a node that agree in
            their last so many the densest alone is read on, by the model's reading of the given text where that is one
            of them.
        others: most paths remembered of those that go on like a denser one.
        paths: most that are told apart at the end.
    """

    width: int | None = None
    margin: float = math.inf
    branch: float = math.inf
    horizon: int | None = None
    others: int = 8
    paths: int = 64


@dataclass(slots=True, eq=False)
class _Hypothesis(Generic[P]):
    """A path and what is read of it.

    Attributes:
        path: the path.
        prefix: all but its last token read; None where nothing of it is to be read any more, since what the model keeps
            of a text is large.
        given: how many arcs of the given path it goes on from as read; None where it goes on from its own.
        before: the hypothesis that it goes on from.
        others: less dense ones that go on alike from here.
    """

    path: Path
    prefix: P | None
    given: int | None
    before: _Hypothesis[P] | None = None
    others: list[_Hypothesis[P]] = field(default_factory=list)

    @property
    def promise(self) -> float:
        """Its density, with the hint of an arc that stands for a part of something."""
        arcs = self.path.arcs
        return self.path.log_density + (arcs[-1].hint if arcs else 0.0)


class _Search(Generic[P]):
    """The search in one lattice, node by node.

    Args:
        lattice: the lattice.
        beam: the bounds.
        given: the given path, read: a prefix for each node that it visits.
    """

    def __init__(self, lattice: Lattice, beam: Beam, given: Sequence[P]) -> None:
        self._nodes, self._beam, self._given = lattice.nodes, beam, given
        self._given_arcs = lattice.given
        self._reached: dict[int, list[_Hypothesis[P]]] = {0: [_Hypothesis(Path(), None, 0)]}
        self._node = 0

    def unread(self) -> list[_Hypothesis[P]]:
        """The hypotheses kept at the next node where any has to be read; none at the end."""
        last = len(self._nodes) - 1
        while (node := min(self._reached, default=last)) < last:
            self._node = node
            kept = self._kept(node)
            self._reached[node] = kept
            if unread := [one for one in kept if one.given is None]:
                return unread
            self.expand([])
        self._node = last
        return []

    @property
    def tokens(self) -> np.ndarray:
        """Those whose log-probs are wanted at the node."""
        return self._nodes[self._node].tokens

    def paths(self) -> list[Path]:
        """Those through the whole lattice, the densest first, one for each text."""
        found: dict[str, Path] = {}
        for path in islice(_all_paths(self._kept(self._node)), 8 * self._beam.paths):
            found.setdefault(path.text, path)
            if len(found) == self._beam.paths:
                break
        return list(found.values())

    def _gains(self, node: int, prefix: P) -> np.ndarray:
        columns, row = self._nodes[node], prefix.next
        gains: np.ndarray = row.log_probs + (1 + row.entropy) * columns.distortions + columns.rewards
        return gains

    def expand(self, prefixes: Sequence[P]) -> None:
        """Go on from the node, whose unread hypotheses have been read."""
        node, read = self._nodes[self._node], iter(prefixes)
        for hypothesis in self._reached.pop(self._node):
            prefix = next(read) if hypothesis.given is None else self._given[hypothesis.given]
            hypothesis.prefix = None
            if not node.texts:
                continue
            gains = self._gains(self._node, prefix)
            promise = gains + node.hints
            follow = promise >= promise.max() - self._beam.branch
            given = None if hypothesis.given is None else self._given_arcs[hypothesis.given]
            if given is not None:
                follow[given] = True
            for number in np.flatnonzero(follow).tolist():
                arc = node.arc(number)
                path = hypothesis.path.onward(arc, float(gains[number]), float(prefix.next.log_probs[number]))
                if hypothesis.given is not None and number == given:
                    place = hypothesis.given + 1
                    onward = _Hypothesis(path, None, place, hypothesis)
                else:
                    onward = _Hypothesis(path, prefix, None, hypothesis)
                self._reached.setdefault(arc.stop, []).append(onward)

    def _kept(self, node: int) -> list[_Hypothesis[P]]:
        """The hypotheses at a node that the beam lets through, the densest first."""
        ordered = sorted(self._reached.get(node, ()), key=lambda each: -each.promise)
        distinct: dict[str, _Hypothesis[P]] = {}
        horizon = self._beam.horizon
        for each in ordered:
            text = each.path.text if horizon is None else each.path.text[-horizon:]
            if (first := distinct.setdefault(text, each)) is not each:
                if each.path.text != first.path.text and len(first.others) < self._beam.others:
                    first.others.append(each)
                first.given = each.given if first.given is None else first.given
                each.prefix = None
        if not distinct:
            return []
        best = next(iter(distinct.values())).promise
        kept = [each for each in distinct.values() if each.promise >= best - self._beam.margin]
        kept = kept[: self._beam.width]
        kept += [each for each in distinct.values() if each.given is not None and each not in kept]
        return kept


def _all_paths(hypotheses: Sequence[_Hypothesis[P]]) -> Iterator[Path]:
    """Every path of hypotheses and of those that went on alike, the densest first.

    Where one joined another, their gains are the same from there on.
    """
    order = count()
    heap = [(-one.path.log_density, next(order), one, Path()) for one in hypotheses]
    heapq.heapify(heap)
    while heap:
        _, _, hypothesis, rest = heapq.heappop(heap)
        yield _joined(hypothesis.path, rest)
        at: _Hypothesis[P] | None = hypothesis
        while at is not None:
            done = at.path
            between = Path(
                hypothesis.path.arcs[len(done.arcs) :],
                hypothesis.path.text[len(done.text) :],
                hypothesis.path.log_density - done.log_density,
                hypothesis.path.log_prob - done.log_prob,
            )
            for other in at.others:
                onward = _joined(between, rest)
                heapq.heappush(heap, (-other.path.log_density - onward.log_density, next(order), other, onward))
            at = at.before


def _joined(first: Path, rest: Path) -> Path:
    return Path(
        first.arcs + rest.arcs,
        first.text + rest.text,
        first.log_density + rest.log_density,
        first.log_prob + rest.log_prob,
    )


async def search(
    model: PrefixModel[P], lattices: AsyncIterator[Lattice], beam: Beam, at_once: int = 64
) -> AsyncIterator[tuple[int, list[Path]]]:
    """The densest paths through lattices, one for each text that they write.

    Paths to a node compete with each other; where two write the same text, the denser stays.

    Args:
        model: the language model.
        lattices: any count of them.
        beam: what is looked at.
        at_once: most lattices searched side by side, whose paths are read in the same batches.

    Yields:
        The number of a lattice whose search has ended, and its paths, the densest first.
    """
    running: dict[int, _Search[P]] = {}
    first = 0
    while True:
        fresh: list[tuple[int, Lattice]] = []
        while len(running) + len(fresh) < at_once and (lattice := await anext(lattices, None)) is not None:
            fresh.append((first, lattice))
            first += 1
        if fresh:
            tokens = [[arc.token for arc in lattice.given_path] for _, lattice in fresh]
            asked = [[lattice.nodes[node].tokens for node in lattice.given_nodes] for _, lattice in fresh]
            given = await model.read([None] * len(fresh), tokens, asked)
            running |= {
                number: _Search(lattice, beam, read) for (number, lattice), read in zip(fresh, given, strict=True)
            }
        if not running:
            return
        pairs: list[tuple[_Search[P], _Hypothesis[P]]] = []
        for number, each in list(running.items()):
            if unread := each.unread():
                pairs += [(each, one) for one in unread]
            else:
                yield number, each.paths()
                del running[number]
        if pairs:
            read = await model.read(
                [one.prefix for _, one in pairs],
                [[one.path.arcs[-1].token] for _, one in pairs],
                [[each.tokens] for each, _ in pairs],
            )
            of_search: dict[_Search[P], list[P]] = {}
            for (each, _), (prefix,) in zip(pairs, read, strict=True):
                of_search.setdefault(each, []).append(prefix)
            for each, prefixes in of_search.items():
                each.expand(prefixes)
