"""Sets of keys to be compared: ours, and others' ways of working.

Each is built from the same file of triples and answers which tokens may follow each prefix of a beam.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.key_format import KeyFormat, split_entity
from models.retrieval.index.ragged import Ragged, spread, starts_of
from models.retrieval.index.sources import Tabbed
from models.retrieval.index.tokenizing import Encode, batch_encoder

Key = tuple[int, ...]


def code_points(texts: list[str]) -> list[list[int]]:
    """A made-up tokenizer: a token a character, none saved by merging frequent ones."""
    return [list(map(ord, text)) for text in texts]


def encoder(folder: Path | None) -> tuple[Encode, KeyFormat]:
    """An encoder and a separator that occurs in no part: of a ``tokenizer.json``, or of code points."""
    if folder is None:
        return code_points, KeyFormat.triples([ord("\n")])
    from tokenizers import Tokenizer

    encode = batch_encoder(Tokenizer.from_file(str(folder / "tokenizer.json")))
    return encode, KeyFormat.triples(encode(["\n"])[0])


def keys_of(path: Path, encode: Encode, key_format: KeyFormat) -> Iterator[Key]:
    """The keys of a file of triples, one by one; distinct parts are encoded once."""
    known: dict[str, Key] = {}
    with path.open(encoding="utf-8") as file:
        lines = [line.split("\t", 2)[:2] for line in file]
    rows = [(*split_entity(entity), predicate) for entity, predicate in lines]
    texts = list({text for row in rows for text in row})
    for at in range(0, len(texts), 10_000):
        known.update(zip(texts[at : at + 10_000], map(tuple, encode(texts[at : at + 10_000])), strict=True))
    first, second = key_format.separators
    for subject, meaning, predicate in rows:
        yield (*known[subject], *first, *known[predicate], *second, *known[meaning])


class Contender(Protocol):
    """A set of keys.

    Attributes:
        name: in the table.
        bytes_of_keys: on disk, or in memory if that is where it lives.
        bytes_of_values: the same.
    """

    name: str
    bytes_of_keys: int
    bytes_of_values: int

    def opened(self) -> dict[str, float]:
        """Open what was built; seconds, if that is something of its own."""
        ...

    def sample(self, rng: np.random.Generator, count: int) -> list[Key]:
        """Some of the keys."""
        ...

    def asker(self, prefixes: Sequence[Key]) -> Callable[[], Any]:
        """A call that asks what may follow each prefix, with what a search would hold prepared."""
        ...


class Ours:
    """Flat arrays by mmap. A search holds nodes, so walking to them is not part of the call."""

    name = "chainwright"

    def __init__(self, path: Path, folder: Path, encode: Encode, key_format: KeyFormat) -> None:
        self.folder = folder / "index"
        shutil.rmtree(self.folder, ignore_errors=True)
        manifest = build(self.folder, [Tabbed(path)], key_format, encode, tokenizer="benchmark")
        sizes = {name: size for name, (size, _) in manifest.files.items()}
        self.bytes_of_values = sum(size for name, size in sizes.items() if name.startswith("value"))
        self.bytes_of_keys = sum(sizes.values()) - self.bytes_of_values

    def opened(self) -> dict[str, float]:
        """Open, with and without checksums to compute; seconds."""
        seconds = {}
        for what in ("first_open_s", "open_s"):
            start = time.perf_counter()
            self.index = CompiledIndex.open(self.folder)
            seconds[what] = time.perf_counter() - start
        return seconds

    def sample(self, rng: np.random.Generator, count: int) -> list[Key]:
        return [self.index.key(int(number)) for number in rng.integers(len(self.index), size=count)]

    def asker(self, prefixes: Sequence[Key]) -> Callable[[], Any]:
        nodes = []
        for prefix in prefixes:
            node: int | None = self.index.root
            for token in prefix:
                assert node is not None
                node = self.index.child(node, token)
            nodes.append(node)
        beam = np.array(nodes, np.int64)
        return lambda: self.index.allowed(beam)


class NestedDict:
    """A dict of dicts, walked from the root at every step, as in Su Jianlin's blog post 8802."""

    name = "nested dict"
    bytes_of_values = 0

    def __init__(self, path: Path, folder: Path, encode: Encode, key_format: KeyFormat) -> None:
        before = _resident()
        self._root: dict[int, Any] = {}
        self._keys: list[Key] = []
        for number, key in enumerate(keys_of(path, encode, key_format)):
            node = self._root
            for token in key:
                node = node.setdefault(token, {})
            node[-1] = {}
            if not number % 500:
                self._keys.append(key)
        self.bytes_of_keys = _resident() - before

    def opened(self) -> dict[str, float]:
        return {}

    def sample(self, rng: np.random.Generator, count: int) -> list[Key]:
        return [self._keys[number] for number in rng.integers(len(self._keys), size=count)]

    def asker(self, prefixes: Sequence[Key]) -> Callable[[], Any]:
        def ask() -> list[list[int]]:
            found = []
            for prefix in prefixes:
                node = self._root
                for token in prefix:
                    node = node[token]
                found.append(list(node))
            return found

        return ask


class MarisaPrefixes:
    """A compressed trie of strings whose keys below a prefix are enumerated, as GENRE's MarisaTrie does.

    As there, a token is a character, and the tokens that begin a key are kept.
    """

    name = "marisa-trie"
    bytes_of_values = 0

    def __init__(self, path: Path, folder: Path, encode: Encode, key_format: KeyFormat) -> None:
        import marisa_trie

        self._keys: list[Key] = []
        self._first: dict[int, None] = {}
        self._file = folder / "keys.marisa"

        def strings() -> Iterator[str]:
            for number, key in enumerate(keys_of(path, encode, key_format)):
                self._first[key[0]] = None
                if not number % 500:
                    self._keys.append(key)
                yield _string(key)

        marisa_trie.Trie(strings()).save(str(self._file))
        self.bytes_of_keys = self._file.stat().st_size

    def opened(self) -> dict[str, float]:
        import marisa_trie

        start = time.perf_counter()
        self._trie = marisa_trie.Trie().mmap(str(self._file))
        return {"open_s": time.perf_counter() - start}

    sample = NestedDict.sample

    def asker(self, prefixes: Sequence[Key]) -> Callable[[], Any]:
        def ask() -> list[list[Any]]:
            found: list[list[Any]] = []
            for prefix in prefixes:
                if not prefix:
                    found.append(list(self._first))
                    continue
                text = _string(prefix)
                found.append(list({key[len(text)] for key in self._trie.keys(text) if len(key) > len(text)}))
            return found

        return ask


def _string(key: Key) -> str:
    # Surrogates cannot be encoded: tokens from there on move up.
    return "".join(chr(token if token < 0xD800 else token + 0x800) for token in key)


class FlatTrie:
    """A trie in two arrays, prefixes shared and nothing else: node n's edges are ``starts[n]:starts[n + 1]``.

    Nodes are numbered breadth first, so edge e leads to node e + 1.
    """

    name = "flat trie"
    bytes_of_values = 0

    def __init__(self, path: Path, folder: Path, encode: Encode, key_format: KeyFormat) -> None:
        keys = sorted(set(keys_of(path, encode, key_format)))
        self._keys = keys[::500]
        ragged = Ragged.of(keys)
        del keys
        begin, lengths = ragged.starts[:-1], ragged.lengths
        node = np.zeros(len(ragged), np.int64)
        alive = np.arange(len(ragged))
        parents, tokens, known = [], [], 1
        for depth in range(int(lengths.max())):
            keep = lengths[alive] > depth
            alive, node = alive[keep], node[keep]
            token = ragged.tokens[begin[alive] + depth]
            new = np.ones(len(alive), np.bool_)
            new[1:] = (token[1:] != token[:-1]) | (node[1:] != node[:-1])
            parents.append(node[new])
            tokens.append(token[new])
            node = known + np.cumsum(new) - 1
            known += int(new.sum())
        arrays = {
            "starts": starts_of(np.bincount(np.concatenate(parents), minlength=known)).astype(np.uint32),
            "tokens": np.concatenate(tokens),
        }
        self._folder = folder
        for name, array in arrays.items():
            np.save(folder / f"flat-{name}.npy", array)
        # One more bit a node would say where keys end.
        self.bytes_of_keys = sum(array.nbytes for array in arrays.values()) + known // 8

    def opened(self) -> dict[str, float]:
        start = time.perf_counter()
        self._starts, self._tokens = (
            np.asarray(np.load(self._folder / f"flat-{name}.npy", mmap_mode="r")) for name in ("starts", "tokens")
        )
        return {"open_s": time.perf_counter() - start}

    sample = NestedDict.sample

    def asker(self, prefixes: Sequence[Key]) -> Callable[[], Any]:
        nodes = []
        for prefix in prefixes:
            node = 0
            for token in prefix:
                first, last = int(self._starts[node]), int(self._starts[node + 1])
                node = first + int(np.searchsorted(self._tokens[first:last], token)) + 1
            nodes.append(node)
        beam = np.array(nodes, np.int64)
        return lambda: self._follow(beam)

    def _follow(self, beam: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        first = self._starts[beam].astype(np.int64)
        edges = spread(first, self._starts[beam + 1] - first)
        return self._tokens[edges], edges + 1


CONTENDERS: dict[str, Callable[..., Contender]] = {
    one.name: one for one in (Ours, NestedDict, MarisaPrefixes, FlatTrie)
}


def _resident() -> int:
    """Bytes of this process in memory."""
    import psutil

    return int(psutil.Process().memory_info().rss)
