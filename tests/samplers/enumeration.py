"""Exact law of a Metropolis-Hastings kernel on a space small enough to list, in its own NumPy code.

Nothing here calls a move, a kernel, a constraint or a state of the product: a state is a
sequence of *items* (a free token, or a whole keyword block) and an end token, and the
probabilities are written down from their definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

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
        power: of each token's surprisal; 3 nats cost the same under each.
        closing: times that the closing token's log-probability counts.
        longest_drawn: most free tokens that one move draws.
    """

    space: Space
    next_token: Callable[[tuple[int, ...]], Matrix]
    weights: dict[str, float]
    epsilon: float
    beta: float = 1.0
    potential: Callable[[tuple[int, ...]], float] = lambda tokens: 0.0
    delayed: int = 0
    reward: float = 0.0
    power: float = 1.0
    closing: float = 1.0
    longest_drawn: int = 2
    _rows: dict[tuple[tuple[int, ...], tuple[int, ...]], dict[int, float]] = field(default_factory=dict, init=False)

    def log_prob(self, tokens: Sequence[int]) -> float:
        """Log-probability of the whole sentence: a sum over tokens."""
        return float(sum(np.log(self.next_token(tuple(tokens[:i]))[w]) for i, w in enumerate(tokens)))

    def states(self) -> list[Listed]:
        """Every state of positive density."""
        return [x for x in self.space.states() if self.potential(x.tokens) > -np.inf]

    def target(self, states: Sequence[Listed]) -> Matrix:
        """The normalised pi_beta, shape (len(states),)."""
        logs = np.array([self.heated(x.tokens) + self.potential(x.tokens) for x in states])
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    def heated(self, tokens: tuple[int, ...]) -> float:
        """What beta multiplies, times beta."""
        closing = (self.closing - 1) * float(np.log(self.next_token(tokens[:-1])[tokens[-1]]))
        return self.beta * (self._worth(tokens, 0, len(tokens)) + closing)

    def _worth(self, tokens: tuple[int, ...], start: int, stop: int) -> float:
        """What some of the tokens add to the objective."""
        surprisals = [-float(np.log(self.next_token(tokens[:k])[tokens[k]])) for k in range(start, stop)]
        return sum(self.reward - 3.0 * (surprisal / 3.0) ** self.power for surprisal in surprisals)

    def q(self, token: int, prefix: tuple[int, ...], alphabet: tuple[int, ...]) -> float:
        """The proposal distribution: sharpened to beta, restricted, renormalised, mixed with a uniform."""
        if (prefix, alphabet) not in self._rows:
            p = self.next_token(prefix)[list(alphabet)] ** self.beta
            row = (1 - self.epsilon) * p / p.sum() + self.epsilon / len(alphabet)
            self._rows[prefix, alphabet] = dict(zip(alphabet, row.tolist(), strict=True))
        return self._rows[prefix, alphabet][token]

    def paths(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        """Every way to propose: the state, the probability of this way, that of its way back.

        Ways that coincide in their state are listed one by one, since each is accepted by
        its own ratio.
        """
        for move in self.weights:
            yield from self._paths_of(move, x)

    def _paths_of(self, move: str, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        weight, weight_back = self.weights[move], self.weights[_REVERSE.get(move, move)]
        for after, forward, back in getattr(self, f"_{move}")(x):
            yield after, weight * forward, weight_back * back

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

    def _redraw(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        first = max((i + 1 for i, item in enumerate(x.items) if item.owner != _FREE), default=0)
        for start in range(first, min(first + 3, len(x.items) + 1)):
            kept, old = x.items[:start], tuple(item.tokens[0] for item in x.items[start:])
            if len(old) <= self.longest_drawn:
                back = self._tail(x.before(start), (*old, x.end))
                for new in self._tails():
                    redrawn = Listed((*kept, *(Item(_FREE, (w,)) for w in new[:-1])), new[-1])
                    forward = self._tail(x.before(start), new)
                    chance = 0.5 if start == first else 0.25
                    yield redrawn, chance * forward, chance * back

    def _tails(self) -> list[tuple[int, ...]]:
        free = [words for n in range(self.longest_drawn + 1) for words in product(self.space.interior, repeat=n)]
        return [(*words, end) for words in free for end in self.space.ends]

    def _tail(self, prefix: tuple[int, ...], tail: tuple[int, ...]) -> float:
        """Probability of drawing free tokens and a closing one."""
        both, ends = (*self.space.interior, *self.space.ends), self.space.ends
        chance = 1.0
        for j, w in enumerate(tail):
            chance *= self.q(w, (*prefix, *tail[:j]), both if j < self.longest_drawn else ends)
        return chance

    def _redraw_span(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        lengths = range(1, self.longest_drawn + 1)
        pairs = [(m, n) for m in lengths for n in lengths if max(m, n) > 1]
        for m, n in pairs:
            for at in _runs(x, m):
                prefix, old = x.before(at), tuple(item.tokens[0] for item in x.items[at : at + m])
                for new in product(self.space.interior, repeat=n):
                    items = (*x.items[:at], *(Item(_FREE, (w,)) for w in new), *x.items[at + m :])
                    redrawn = Listed(items, x.end)
                    forward = self._words(prefix, new) / len(_runs(x, m)) / len(pairs)
                    yield redrawn, forward, self._words(prefix, old) / len(_runs(redrawn, n)) / len(pairs)

    def _words(self, prefix: tuple[int, ...], words: tuple[int, ...]) -> float:
        chances = [self.q(w, (*prefix, *words[:j]), self.space.interior) for j, w in enumerate(words)]
        return float(np.prod(chances))

    def _shift(self, x: Listed) -> Iterator[tuple[Listed, float, float]]:
        blocks = [i for i, item in enumerate(x.items) if item.owner != _FREE]
        for i in blocks:
            rest = (*x.items[:i], *x.items[i + 1 :])
            moved = [Listed((*rest[:g], x.items[i], *rest[g:]), x.end) for g in range(len(rest) + 1) if g != i]
            moved = [y for y in moved if not self.space.ordered or _order(y) == _order(x)]
            for y in moved:
                yield y, 1 / len(blocks) / len(moved), 1 / len(blocks) / len(moved)

    def first_ratio(self, x: tuple[int, ...], y: tuple[int, ...], local: bool = False) -> float:
        """pi(y) / pi(x) without the potential, by an edit and the tokens after it; of other changes, by all of them.

        Where the move is local, a change of several tokens is an edit too.
        """
        edit = _span(x, y) if local else _edit(x, y)

        if edit is None or edit[1] + self.delayed >= len(x) or edit[2] + self.delayed >= len(y):
            return float(np.exp(self.heated(y) - self.heated(x)))
        at, goes_on_x, goes_on_y = edit
        gained = self._worth(y, at, goes_on_y + self.delayed) - self._worth(x, at, goes_on_x + self.delayed)
        return float(np.exp(self.beta * gained))

    def matrix(self, states: Sequence[Listed], pi: Matrix) -> Matrix:
        """The kernel's transition matrix; whatever is not accepted stays."""
        number = {x: i for i, x in enumerate(states)}
        p = np.zeros((len(states), len(states)))
        for i, x in enumerate(states):
            proposed = 0.0
            for move in self.weights:
                for after, forward, back in self._paths_of(move, x):
                    proposed += forward
                    if after in number and after != x:
                        j = number[after]
                        first = ratio = pi[j] * back / (pi[i] * forward)
                        if self.delayed:
                            first = self.first_ratio(x.tokens, after.tokens, move in _LOCAL) * back / forward
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


def _span(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Where y is x with one span exchanged for another: its place, and where x and y go on alike."""
    places = [k for k in range(min(len(x), len(y))) if x[k] != y[k]]
    at = places[0] if places else min(len(x), len(y))
    alike = max(n for n in range(min(len(x), len(y)) - at + 1) if x[len(x) - n :] == y[len(y) - n :])
    return at, len(x) - alike, len(y) - alike


def _runs(x: Listed, length: int) -> list[int]:
    """Items from which on so many are free tokens."""
    free = set(x.free)
    return [i for i in x.free if all(i + k in free for k in range(length))]


def _order(x: Listed) -> list[int]:
    return [item.owner for item in x.items if item.owner != _FREE]


_LOCAL = ("redraw_span", "shift")
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
