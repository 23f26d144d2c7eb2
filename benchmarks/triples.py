"""Made-up triples in the shape of KgCLUE's knowledge base.

Its published sizes: 20,559,652 triples, 3,121,457 entities, 245,838 predicates. What else is imitated
was counted on KgCLUE's labelled questions: names of 5.1 characters on average, a meaning in brackets on
27 % of the entities, 88 % of those meanings distinct, values of 7.6 characters. Predicates and
characters follow Zipf's law; the predicates of an entity are distinct. The lines of an entity are
consecutive, as in the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRIPLES, ENTITIES, PREDICATES = 20_559_652, 3_121_457, 245_838
_CHARACTERS = 6_000
_FIRST = 0x4E00
_AT_ONCE = 50_000


def write_triples(path: Path, triples: int, seed: int = 0) -> None:
    """Write ``subject（meaning）<TAB>predicate<TAB>object`` lines; entities and predicates in proportion.

    The number of predicates shrinks with the square root of the share, as vocabularies do (Heaps' law).
    """
    rng = np.random.default_rng(seed)
    share = triples / TRIPLES
    entities = max(1, round(ENTITIES * share))
    predicates = _distinct(rng, max(20, round(PREDICATES * share**0.5)), 4.2)
    law = np.cumsum(1 / np.arange(1, len(predicates) + 1))
    law /= law[-1]
    names = _entities(rng, entities)
    objects = _objects(rng)
    left = triples
    with path.open("w", encoding="utf-8") as file:
        for at in range(0, entities, _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            counts = 1 + rng.poisson(triples / entities - 1, len(some))
            if at + _AT_ONCE >= entities:
                counts[-1] = max(1, left - int(counts[:-1].sum()))
            owner, predicate = _distinct_pairs(rng, np.minimum(counts, len(predicates) // 4 + 1), law)
            owner, predicate = owner[:left], predicate[:left]
            left -= len(owner)
            file.writelines(
                f"{some[entity]}\t{predicates[number]}\t{next(objects)}\n"
                for entity, number in zip(owner.tolist(), predicate.tolist(), strict=True)
            )


def _distinct_pairs(
    rng: np.random.Generator, counts: NDArray[np.int64], law: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Entities and predicates, distinct within an entity: more are drawn and the first ones kept."""
    owner = np.repeat(np.arange(len(counts)), 3 * counts + 8)
    drawn = np.searchsorted(law, rng.random(len(owner))).clip(max=len(law) - 1)
    first = np.sort(np.unique(owner * len(law) + drawn, return_index=True)[1])
    owner, drawn = owner[first], drawn[first]
    start = np.searchsorted(owner, np.arange(len(counts)))
    keep = np.arange(len(owner)) - start[owner] < counts[owner]
    return owner[keep], drawn[keep]


def _texts(rng: np.random.Generator, count: int, mean: float) -> list[str]:
    lengths = 2 + rng.poisson(mean - 2, count)
    text = _text(rng, int(lengths.sum()))
    ends = np.cumsum(lengths).tolist()
    return [text[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def _text(rng: np.random.Generator, length: int) -> str:
    # Zipf's law with exponent 1 over ranks: log-uniform.
    rank = np.exp(rng.random(length) * np.log(_CHARACTERS)).astype(np.uint32) - 1
    text: str = (rank + _FIRST).astype("<u4").tobytes().decode("utf-32-le")
    return text


def _distinct(rng: np.random.Generator, count: int, mean: float) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found.update(dict.fromkeys(_texts(rng, count // 2 + 10, mean)))
    return list(found)[:count]


def _entities(rng: np.random.Generator, count: int) -> list[str]:
    found: dict[str, None] = {}
    senses: list[str] = []
    while len(found) < count:
        more = _texts(rng, count // 3 + 10, 5.1)
        which = rng.random(len(more)) < 0.27
        fresh = iter(_texts(rng, int(which.sum()), 9.4))
        for name, has in zip(more, which.tolist(), strict=True):
            if has:
                sense = next(fresh)
                if senses and rng.random() < 0.12:
                    sense = senses[int(rng.integers(len(senses)))]
                else:
                    senses.append(sense)
                name = f"{name}（{sense}）"
            found[name] = None
    return list(found)[:count]


def _objects(rng: np.random.Generator) -> Iterator[str]:
    """A third from a few thousand frequent values, the others hardly ever twice."""
    frequent = _texts(rng, 5_000, 4)
    while True:
        often = (rng.random(_AT_ONCE) < 1 / 3).tolist()
        which = rng.integers(len(frequent), size=_AT_ONCE).tolist()
        for rare, use, number in zip(_texts(rng, _AT_ONCE, 9), often, which, strict=True):
            yield frequent[number] if use else rare
