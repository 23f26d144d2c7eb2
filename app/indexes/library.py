"""The indexes of a state directory, in the tokens of one model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.indexes.demo import DEMO, ensure_demo
from models.retrieval.index.building import Progress
from models.retrieval.index.catalogue import Catalogue
from models.retrieval.index.errors import CorruptIndexError, RetrievalIndexError, TokenizerMismatchError
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import Source
from models.retrieval.loading import KeyTokenizer


class ReservedNameError(RetrievalIndexError):
    """The name belongs to the service."""


@dataclass(eq=False)
class Library:
    """The indexes of one folder. All methods may take long: keep them off the event loop."""

    root: Path
    read_tokenizer: Callable[[], KeyTokenizer]  # of the keys; called once, when first needed
    catalogue: Catalogue = field(init=False)
    _tokenizer: KeyTokenizer | None = field(default=None, init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, init=False)
    _demo_seen: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.catalogue = Catalogue(self.root)

    @property
    def tokenizer(self) -> KeyTokenizer:
        """The tokenizer of the keys.

        Raises:
            models.language.loading.LoadingError: it cannot be read.
        """
        with self._reading:
            if self._tokenizer is None:
                self._tokenizer = self.read_tokenizer()
            return self._tokenizer

    def names(self) -> list[str]:
        """All indexes, the demo among them whether or not it is built yet."""
        return sorted({DEMO, *self.catalogue.names()})

    def open(self, name: str) -> LiveIndex:
        """An index with the changes of other processes; the demo is built at first.

        Raises:
            UnknownIndexError, CorruptIndexError: see :meth:`Catalogue.open`.
            TokenizerMismatchError: its keys are written in other tokens than the model's.
        """
        if name == DEMO:
            self._ensure_demo()
        try:
            live = self.look(name)
        except CorruptIndexError:
            if name != DEMO:
                raise
            self._ensure_demo(damaged=True)
            live = self.look(name)
        if live.manifest.tokenizer != self.tokenizer.fingerprint:
            raise TokenizerMismatchError(
                f"the index {name!r} was built for the tokenizer {live.manifest.tokenizer}; "
                f"that of the model is {self.tokenizer.fingerprint}"
            )
        return live

    def look(self, name: str) -> LiveIndex:
        """An index of any tokenizer, for a report, not for a search; see :meth:`Catalogue.open`."""
        live = self.catalogue.open(name)
        live.refresh()
        return live

    def _ensure_demo(self, *, damaged: bool = False) -> None:
        if damaged or not self._demo_seen:
            ensure_demo(self.root, self.catalogue, self.tokenizer, damaged=damaged)
            self._demo_seen = True

    def build(
        self,
        name: str,
        sources: Sequence[Source],
        *,
        triples: bool,
        aliases: Sequence[Source] = (),
        strict: bool = False,
        typos: bool = True,
        progress: Progress = lambda what, done, total: None,
    ) -> Manifest:
        """Build an index; one of the same name serves until it is replaced.

        Keys are of subject, predicate and meaning if they are ``triples``, else of one part; ``typos`` keeps a
        table of misspelt names. For the rest see :func:`models.retrieval.index.building.build`.

        Raises:
            ReservedNameError: it is the demo's.
            RetrievalIndexError: it is being built already, or as :func:`build`.
            TextFileError: a source cannot be read.
        """
        refuse_reserved(name)
        return self.catalogue.build(
            name,
            sources,
            self.tokenizer.key_format(triples=triples),
            self.tokenizer.encode,
            tokenizer=self.tokenizer.fingerprint,
            decode=self.tokenizer.decode if typos else None,
            aliases=aliases,
            strict=strict,
            progress=progress,
        )

    def merge(self, name: str) -> Manifest:
        """Rebuild an index with its changes; see :meth:`Catalogue.merge`."""
        return self.catalogue.merge(name, self.tokenizer.decode)

    def delete(self, name: str) -> None:
        """Remove an index; see :meth:`Catalogue.delete`."""
        if name == DEMO:
            self._demo_seen = False
        self.catalogue.delete(name)

    def texts(self, view: OverlayView, tokens: Sequence[int]) -> dict[str, str]:
        """The text of each part of a key, as it was first written."""
        key_format = view.base.key_format
        decode = self.tokenizer.codec.decode
        return {
            name: view.written(column, part) or decode(part).strip()
            for column, (name, part) in enumerate(zip(key_format.parts, key_format.split(tokens), strict=True))
        }


def refuse_reserved(name: str) -> None:
    """Refuse a name that belongs to the service.

    Raises:
        ReservedNameError: it does.
    """
    if name == DEMO:
        raise ReservedNameError(f"{DEMO!r} is the index that the service builds itself: choose another name")
