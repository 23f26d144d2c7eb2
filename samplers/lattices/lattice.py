"""Lattices: the ways in which a text may be written, each with its weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from samplers.lattices.language import TokenIds

Nats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arc:
    """One token on the way from a node to a later one.

    Attributes:
        token: token id.
        stop: the node that it leads to.
        text: what it writes; nothing where it is a part of what a later arc writes.
        distortion: log-weight of writing what is given for what it stands for, <= 0, in nats; the surer the model is,
            the less it counts.
        reward: nats besides, whatever the model knows.
        hint: nats that pruning credits it with, for what is known of it besides; no part of the density.
    """

    token: int
    stop: int
    text: str
    distortion: float = 0.0
    reward: float = 0.0
    hint: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A place in a lattice, with the A arcs that leave it as columns; none leave the last node.

    Attributes:
        texts: what each writes.
        tokens, stops: (A,).
        distortions, rewards, hints: in nats, (A,).
    """

    texts: Sequence[str]
    tokens: TokenIds
    stops: npt.NDArray[np.int64]
    distortions: Nats
    rewards: Nats
    hints: Nats

    @classmethod
    def of(cls, arcs: Sequence[Arc]) -> Self:
        """From arcs."""
        return cls(
            [arc.text for arc in arcs],
            np.array([arc.token for arc in arcs], dtype=np.int64),
            np.array([arc.stop for arc in arcs], dtype=np.int64),
            np.array([arc.distortion for arc in arcs], dtype=np.float64),
            np.array([arc.reward for arc in arcs], dtype=np.float64),
            np.array([arc.hint for arc in arcs], dtype=np.float64),
        )

    def arc(self, number: int) -> Arc:
        """One of them."""
        return Arc(
            int(self.tokens[number]),
            int(self.stops[number]),
            self.texts[number],
            float(self.distortions[number]),
            float(self.rewards[number]),
            float(self.hints[number]),
        )


@dataclass(frozen=True, slots=True)
class Lattice:
    """A directed graph without cycles whose paths from its first node to its last are the ways to write a text.

    The density of a path of tokens x_1 ... x_n over arcs of distortion d_i and reward r_i is

        sum_i log p(x_i | x_<i) + (1 + h_i) d_i + r_i,

    where h_i is the entropy of p(. | x_<i) as a share of log |V| (Zhou et al., EMNLP 2024: their distortion model with
    the faithfulness reward).

    Attributes:
        nodes: every arc leads to a later one.
        given: for each arc of the path that writes the text as it is given its number among those of its node.
    """

    nodes: Sequence[Node]
    given: Sequence[int]

    def __post_init__(self) -> None:
        last = len(self.nodes) - 1
        if any(len(each.stops) and not number < each.stops.min() for number, each in enumerate(self.nodes)):
            raise ValueError("an arc of a lattice must lead to a later node")
        if any(len(each.stops) and each.stops.max() > last for each in self.nodes) or self.given_nodes[-1] != last:
            raise ValueError("the given path must lead to the last node, and no arc beyond it")

    @property
    def given_path(self) -> list[Arc]:
        """The arcs of the given path."""
        return [self.nodes[node].arc(number) for node, number in zip(self.given_nodes, self.given, strict=False)]

    @property
    def given_nodes(self) -> list[int]:
        """The nodes that the given path visits, from the first to the last."""
        nodes = [0]
        for number in self.given:
            nodes.append(int(self.nodes[nodes[-1]].stops[number]))
        return nodes
