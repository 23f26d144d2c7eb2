"""A small index about one question, to train on the choices that search will meet.

Search renormalises over the tokens that the index allows, so the loss needs the model's
preference for the true key among its neighbours: names cut short or running on, other names of the
same beginning, other predicates of the same name, some of them alike. Nothing of the index that will be searched is
needed: neighbours are made of the question itself and of the other training facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.retrieval.examples import Example
from models.retrieval.fact import Fact
from models.retrieval.writers.codec import KeyCodec


@dataclass(frozen=True, slots=True)
class Choices:
    """A key of n tokens, the end token included, and the choice at each of them."""

    key: tuple[int, ...]  # (n,)
    allowed: tuple[tuple[int, ...], ...]  # for each token those that the sampled index allows there, itself first


@dataclass(eq=False)
class IndexSampler:
    """Sampler of the neighbours of a fact's key."""

    codec: KeyCodec
    facts: Sequence[Fact]  # training facts, from which misleading names and predicates are drawn
    names: int  # most misleading names
    predicates: int  # most misleading predicates
    _by_first: dict[str, list[str]] = field(default_factory=dict, init=False)
    _by_letter: dict[str, list[str]] = field(default_factory=dict, init=False)
    _written: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for name in dict.fromkeys(fact.name for fact in self.facts):
            self._by_first.setdefault(name[0], []).append(name)
        for predicate in dict.fromkeys(fact.predicate for fact in self.facts):
            for letter in dict.fromkeys(predicate):
                self._by_letter.setdefault(letter, []).append(predicate)

    def sample(self, example: Example, rng: np.random.Generator) -> Choices:
        """The true key with its neighbours.

        Raises:
            ValueError: the key cannot be written; see :meth:`KeyCodec.key`.
        """
        fact = example.fact
        true = (*self.codec.key(fact.parts), self.codec.end)
        keys = [true]
        for name in self._names(example, rng):
            keys += self._keys(name, self._predicate(rng))
        for _ in range(int(rng.integers(self.predicates + 1))):
            predicate = self._predicate(rng) if rng.random() < 0.5 else self._alike(example, rng)
            if predicate != fact.predicate:
                keys += self._keys(fact.name, predicate)
        allowed = [dict.fromkeys([token]) for token in true]
        for key in keys:
            for at, token in enumerate(key[: len(true)]):
                allowed[at][token] = None
                if token != true[at]:
                    break
        return Choices(true, tuple(tuple(tokens) for tokens in allowed))

    def _keys(self, name: str, predicate: str) -> list[tuple[int, ...]]:
        try:
            separator = self.codec.separator
            return [(*self._write(name), separator, *self._write(predicate), separator, self.codec.end)]
        except ValueError:  # a span of the question that is no part of a key
            return []

    def _write(self, part: str) -> tuple[int, ...]:
        if part not in self._written:
            self._written[part] = self.codec.key([part])
        return self._written[part]

    def _predicate(self, rng: np.random.Generator) -> str:
        return self.facts[int(rng.integers(len(self.facts)))].predicate

    def _alike(self, example: Example, rng: np.random.Generator) -> str:
        """A predicate that shares a character with the true one, or with the question."""
        text = example.fact.predicate if rng.random() < 0.5 else example.question
        alike = self._by_letter.get(text[int(rng.integers(len(text)))])
        return alike[int(rng.integers(len(alike)))] if alike else self._predicate(rng)

    def _names(self, example: Example, rng: np.random.Generator) -> list[str]:
        candidates = list(dict.fromkeys(self._candidates(example.question, example.fact.name, rng)))
        wrong = [name for name in candidates if name.strip() and name != example.fact.name]
        return wrong[: int(rng.integers(self.names + 1))]

    def _candidates(self, question: str, name: str, rng: np.random.Generator) -> Iterator[str]:
        kin = self._by_first.get(name[0], [])
        for _ in range(self.names):
            kind = rng.integers(4)
            if kind == 0 and len(name) > 1:  # cut short at either end
                cut = int(rng.integers(1, len(name)))
                yield name[:cut] if rng.random() < 0.75 else name[cut:]
            elif kind == 1 and (at := question.find(name)) >= 0:  # running on
                yield question[max(0, at - int(rng.integers(3))) : at + len(name) + int(rng.integers(4))]
            elif kind == 2:  # another span of the question
                start = int(rng.integers(len(question)))
                yield question[start : start + int(rng.integers(1, 9))]
            elif kin:
                yield kin[int(rng.integers(len(kin)))]
