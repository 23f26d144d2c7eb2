"""Exact law of a Metropolis-Hastings kernel on a space small enough to list, in its own NumPy code.

Nothing here calls a move, a kernel, a constraint or a state of the product: a state is a
sequence of *items* (a free token, or a whole keyword block) and an end token, and the
probabilities are written down from their definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Labelled = tuple[tuple[int, ...], tuple[int, ...]]
"""Tokens and owners, as the product writes a state."""

_FREE = -1
_END = -2


@dataclass(frozen=True, slots=True)
class Item:
    """A free token (owner -1) or the block of keyword ``owner``."""

    owner: int
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A state: items in order, then an end token."""

    items: tuple[Item, ...]
    end: int

    def before(self, item: int) -> tuple[int, ...]:
        """Tokens to the left of an item, or of the end for ``item == len(items)``."""
        return tuple(token for block in self.items[:item] for token in block.tokens)

    @property
    def tokens(self) -> tuple[int, ...]:
        return (*self.before(len(self.items)), self.end)

    @property
    def free(self) -> list[int]:
        """Numbers of the items that are free tokens."""
        return [i for i, item in enumerate(self.items) if item.owner == _FREE]

    @property
    def labelled(self) -> Labelled:
        return self.tokens, (*(item.owner for item in self.items for _ in item.tokens), _END)


@dataclass(frozen=True, slots=True)
class Space:
    """What states there are.

    Attributes:
        interior: free tokens.
        ends: closing tokens.
        forms: token sequences of each keyword's forms.
        ordered: whether keywords keep their order.
        longest: most tokens, the closing one included.
        admits: the support, by tokens.
    """

    interior: tuple[int, ...]
    ends: tuple[int, ...]
    forms: tuple[tuple[tuple[int, ...], ...], ...]
    ordered: bool
    longest: int
    admits: Callable[[tuple[int, ...]], bool]

    def states(self) -> list[Listed]:
        """Every state of the support."""
        sentences = self._grow((), frozenset(range(len(self.forms))), self.longest - 1)
        listed = [Listed(items, end) for items in sentences for end in self.ends]
        return [x for x in listed if self.admits(x.tokens)]

    def _grow(self, items: tuple[Item, ...], absent: frozenset[int], room: int) -> Iterator[tuple[Item, ...]]:
        if not absent:
            yield items
        following = [Item(_FREE, (w,)) for w in self.interior]
        following += [
            Item(k, form) for k in sorted(absent) if not self.ordered or k == min(absent) for form in self.forms[k]
        ]
        for item in following:
            if len(item.tokens) <= room:
                yield from self._grow((*items, item), absent - {item.owner}, room - len(item.tokens))


@dataclass(frozen=True, slots=True)
class Law:
    """Everything that has a probability.

    Attributes:
        space: the states.
        next_token: p(. | prefix) over token ids, normalised over the mask.
        weights: probability of choosing each move.
        epsilon: uniform share of the proposal distribution.
        beta: inverse temperature.
        potential: soft log-density by tokens, weight included; -inf where the density is 0.
        delayed: if not 0, acceptance is in two stages, the first by the edit and so many tokens after it,
            without the potential.
        reward: nats a token, heated as the model is.
    """

    space: Space
    next_token: Callable[[tuple[int, ...]], Matrix]
    weights: dict[str, float]
    epsilon: float
    beta: float = 1.0
    potential: Callable[[tuple[int, ...]], float] = lambda tokens: 0.0
    delayed: int = 0
    reward: float = 0.0

    def log_prob(self, tokens: Sequence[int]) -> float:
        """Log-probability of the whole sentence: a sum over tokens."""
        return float(sum(np.log(self.next_token(tuple(tokens[:i]))[w]) for i, w in enumerate(tokens)))

    def states(self) -> list[Listed]:
        """Every state of positive density."""
        return [x for x in self.space.states() if self.potential(x.tokens) > -np.inf]

    def target(self, states: Sequence[Listed]) -> Matrix:
        """The normalised pi_beta, shape (len(states),)."""
        logs = np.array([self._heated(x.tokens) + self.potential(x.tokens) for x in states])
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    def _heated(self, tokens: tuple[int, ...]) -> float:
        return self.beta * (self.log_prob(tokens) + self.reward * len(tokens))

    def q(self, token: int, prefix: tuple[int, ...], alphabet: tuple[int, ...]) -> float:
        """The proposal distribution: sharpened to beta, restricted, renormalised, mixed with a uniform."""
        p = self.next_token(prefix) ** self.beta
        return float((1 - self.epsilon) * p[token] / p[list(alphabet)].sum() + self.epsilon / len(alphabet))

    def paths(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        """Every way to propose: the state, the probability of this way, that of its way back.

        Ways that coincide in their state are listed one by one, since each is accepted by
        its own ratio.
        """
        for move, weight in self.weights.items():
            for after, forward, back in getattr(self, f"_{move}")(x):
                yield after, weight * forward, (weight if move not in _REVERSE else self.weights[_REVERSE[move]]) * back

    def _replace(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        places = len(x.free) + 1
        for i in x.free:
            prefix, interior = x.before(i), self.space.interior
            back = self.q(x.items[i].tokens[0], prefix, interior) / places
            for w in interior:
                items = (*x.items[:i], Item(_FREE, (w,)), *x.items[i + 1 :])
                yield Listed(items, x.end), self.q(w, prefix, interior) / places, back
        prefix, ends = x.before(len(x.items)), self.space.ends
        for w in ends:
            yield Listed(x.items, w), self.q(w, prefix, ends) / places, self.q(x.end, prefix, ends) / places

    def _insert(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        gaps = len(x.items) + 1
        for g in range(gaps):
            for w in self.space.interior:
                items = (*x.items[:g], Item(_FREE, (w,)), *x.items[g:])
                forward = self.q(w, x.before(g), self.space.interior) / gaps
                yield Listed(items, x.end), forward, 1 / (len(x.free) + 1)

    def _delete(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        for i in x.free:
            shorter = Listed((*x.items[:i], *x.items[i + 1 :]), x.end)
            back = self.q(x.items[i].tokens[0], x.before(i), self.space.interior) / (len(shorter.items) + 1)
            yield shorter, 1 / len(x.free), back

    def _swap(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        blocks = [i for i, item in enumerate(x.items) if item.owner != _FREE]
        pairs = list(combinations(blocks, 2))
        for i, j in pairs:
            items = list(x.items)
            items[i], items[j] = items[j], items[i]
            yield Listed(tuple(items), x.end), 1 / len(pairs), 1 / len(pairs)

    def _reform(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        several = [k for k, forms in enumerate(self.space.forms) if len(forms) > 1]
        for i, item in enumerate(x.items):
            if item.owner in several:
                others = [form for form in self.space.forms[item.owner] if form != item.tokens]
                chance = 1 / (len(several) * len(others))
                for form in others:
                    yield Listed((*x.items[:i], Item(item.owner, form), *x.items[i + 1 :]), x.end), chance, chance

    def first_ratio(self, x: tuple[int, ...], y: tuple[int, ...]) -> float:
        """pi(y) / pi(x) without the potential, by an edit and the tokens after it; of other changes, by all of them."""
        edit = _edit(x, y)

        def part(tokens: tuple[int, ...], start: int, stop: int) -> float:
            return float(sum(np.log(self.next_token(tokens[:k])[tokens[k]]) for k in range(start, stop)))

        if edit is None or edit[1] + self.delayed >= len(x) or edit[2] + self.delayed >= len(y):
            return float(np.exp(self._heated(y) - self._heated(x)))
        at, goes_on_x, goes_on_y = edit
        gained = part(y, at, goes_on_y + self.delayed) - part(x, at, goes_on_x + self.delayed)
        return float(np.exp(self.beta * (gained + self.reward * (len(y) - len(x)))))

    def matrix(self, states: Sequence[Listed], pi: Matrix) -> Matrix:
        """The kernel's transition matrix; whatever is not accepted stays."""
        number = {x: i for i, x in enumerate(states)}
        p = np.zeros((len(states), len(states)))
        for i, x in enumerate(states):
            proposed = 0.0
            for after, forward, back in self.paths(x):
                proposed += forward
                if after in number and after != x:
                    j = number[after]
                    ratio = pi[j] * back / (pi[i] * forward)
                    first = self.first_ratio(x.tokens, after.tokens) * back / forward if self.delayed else ratio
                    p[i, j] += forward * min(1.0, first) * min(1.0, ratio / first)
            assert proposed <= 1 + 1e-12
            p[i, i] = 1 - p[i].sum()
        return p


def _edit(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Where y is x with one token replaced, put in or left out: its place, and where x and y go on alike."""
    for at in range(len(x)):
        for from_x, from_y in ((1, 1), (0, 1), (1, 0)):
            if x[:at] == y[:at] and x[at + from_x :] == y[at + from_y :] and x[at : at + 1] != y[at : at + 1]:
                return at, at + from_x, at + from_y
    return None


_REVERSE = {"insert": "delete", "delete": "insert"}


def reachable(p: Matrix, start: int) -> npt.NDArray[np.bool_]:
    """States that a chain from ``start`` can come to."""
    seen = np.zeros(len(p), dtype=bool)
    seen[start] = True
    while (grown := seen | (seen @ (p > 0))).sum() > seen.sum():
        seen = grown
    return seen


def total_variation(p: Matrix, q: Matrix) -> float:
    """Half the sum of absolute differences."""
    return float(0.5 * np.abs(p - q).sum())
