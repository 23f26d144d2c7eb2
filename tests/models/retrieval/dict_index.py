"""The plainest index: nested dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.retrieval.prefix_index import Allowed


class DictIndex:
    """Keys as token sequences; a key's only value is itself."""

    root = 0

    def __init__(self, keys: Iterable[Sequence[int]]) -> None:
        self.keys = sorted({tuple(key) for key in keys})
        self._numbers = {key: number for number, key in enumerate(self.keys)}
        self._children: list[dict[int, int]] = [{}]
        self._final = [False]
        for key in self.keys:
            node = 0
            for token in key:
                if token not in self._children[node]:
                    self._children[node][token] = len(self._children)
                    self._children.append({})
                    self._final.append(False)
                node = self._children[node][token]
            self._final[node] = True

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        pairs = [sorted(self._children[node].items()) for node in nodes.tolist()]
        return Allowed.of(
            np.array([len(pair) for pair in pairs], dtype=np.int64),
            np.array([token for pair in pairs for token, _ in pair], dtype=np.int64),
            np.array([child for pair in pairs for _, child in pair], dtype=np.int64),
            np.array([self._final[node] for node in nodes.tolist()]),
        )

    def find(self, tokens: Sequence[int]) -> int | None:
        return self._numbers.get(tuple(tokens))

    def key(self, number: int) -> tuple[int, ...]:
        return self.keys[number]

    def values(self, number: int) -> list[str]:
        return [str(self.keys[number])]

    def __len__(self) -> int:
        return len(self.keys)

    def next_tokens(self, prefix: Sequence[int], end: int) -> list[int]:
        """What may follow a prefix of a key, by brute force; the end token where a key ends."""
        size = len(prefix)
        found = {key[size] for key in self.keys if len(key) > size and key[:size] == tuple(prefix)}
        return sorted(found | ({end} if tuple(prefix) in self._numbers else set()))
