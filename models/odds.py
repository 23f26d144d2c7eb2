"""Generalised additive models of log-odds: sums of piecewise linear functions, each of one feature.

Hastie and Tibshirani, Statistical Science 1986.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Features = Mapping[str, float]
CONSTANT = ""
"""The name of the term that needs no feature."""
BEND, END = ">", "<"
"""Stand before the knot at which a term begins to rise, and the one at which it ends."""


@dataclass(frozen=True)
class Odds:
    """Log-odds as a sum of weighted terms.

    A term named ``feature`` is the feature's value x, one named ``feature>a`` is max(0, x - a), one named
    ``feature>a<b`` is min(max(0, x - a), b - a), and the one without a name is 1. A feature that is not given is 0, and
    so are its terms.

    Attributes:
        weights: of each term, in nats.
    """

    weights: Mapping[str, float]

    @classmethod
    def read(cls, file: Path) -> Odds:
        """Of a JSON object of weights."""
        return cls(json.loads(file.read_text("utf-8")))

    def write(self, file: Path) -> None:
        """As :meth:`read` reads it."""
        file.write_text(json.dumps(self.weights, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")

    def log_odds(self, features: Features) -> float:
        """The log-odds, in nats."""
        return sum(weight * term(name, features) for name, weight in self.weights.items())

    def probability(self, features: Features) -> float:
        """The probability."""
        return 1 / (1 + math.exp(-max(min(self.log_odds(features), 700.0), -700.0)))


def term(name: str, features: Features) -> float:
    """The value of a term."""
    if name == CONSTANT:
        return 1.0
    feature, bend, knots = name.partition(BEND)
    if not bend or feature not in features:
        return features.get(feature, 0.0)
    begin, end, last = knots.partition(END)
    risen = max(0.0, features[feature] - float(begin))
    return min(risen, float(last) - float(begin)) if end else risen


def bends(knots: Mapping[str, Sequence[float]]) -> list[str]:
    """The names of terms that rise from each knot on."""
    return [f"{name}{BEND}{knot:g}" for name, its in knots.items() for knot in its]


def ramps(knots: Mapping[str, Sequence[float]]) -> list[str]:
    """The names of terms that rise from each knot to the next: functions of them are constant beyond the outermost."""
    return [f"{name}{BEND}{a:g}{END}{b:g}" for name, its in knots.items() for a, b in pairwise(its)]
