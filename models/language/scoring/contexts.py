"""Contexts read lately."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from models.language.forward.masked_output import Head
from models.language.scoring.kv_cache import Context

Key = tuple[Head, tuple[int, ...]]


@dataclass(slots=True)
class Contexts:
    """The contexts used last, so that requests which share one share its keys and values too.

    Sentences under one and the same :class:`Context` attend to it in one product, whichever
    request they are of.

    Attributes:
        most_tokens: tokens of all of them together; a longer context is not kept.
    """

    most_tokens: int = 2048
    _kept: OrderedDict[Key, Context] = field(default_factory=OrderedDict)
    _tokens: int = 0

    def get(self, key: Key) -> Context | None:
        """A context, which counts as used."""
        context = self._kept.get(key)
        if context is not None:
            self._kept.move_to_end(key)
        return context

    def put(self, key: Key, context: Context) -> None:
        """Keep a context; those unused the longest go."""
        if len(context.tokens) > self.most_tokens:
            return
        self._kept[key] = context
        self._tokens += len(context.tokens)
        while self._tokens > self.most_tokens:
            _, gone = self._kept.popitem(last=False)
            self._tokens -= len(gone.tokens)
