"""Sequels: how much better what follows a name suits that name than others of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.links.names import MAX_KEYS, Name
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.subtree import below, nodes_of

SAMPLE = 400
"""Keys of the index, evenly spaced, among whose names others of a kind are looked for."""
NEAR = 24
"""Of these, the names of the likest predicates."""
OTHERS = 6
"""Of these, the names of fewest tokens, with which a name is compared."""
FOLLOWING = 2
"""Tokens after a name that are scored."""
LEFT, AHEAD = 60, 24
"""Characters before a name that are read, and after it of which the first tokens are scored."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Sequels:
    """A causal language model, and names of an index for comparison.

    A part of a longer name or of a compound calls for its rest: after Guinea, *pigs* is likelier than after Peru,
    while *is* or *has* are as likely after either.
    """

    index: PrefixIndex
    key_format: KeyFormat
    scorer: CausalScorer
    encode: Callable[[str], list[int]]  # text to token ids, nothing added
    decode: Callable[[Sequence[int]], str]
    begin: int  # the token that begins a text

    def gains(self, places: Sequence[tuple[str, Name]]) -> list[float]:
        """Of names in texts the log-probability of the next tokens, less its mean after other names in their place.

        In nats; 0 where nothing follows, or there is no other name. One forward reads what stands before the names, one
        the names and what follows.
        """
        gains = [0.0] * len(places)
        befores: list[Tokens] = []
        fed: list[tuple[int, Tokens, Tokens]] = []  # place, tokens of a name, tokens after it
        for number, (text, name) in enumerate(places):
            before = text[max(0, name.start - LEFT) : name.start]
            space = " " if before.endswith(" ") else ""
            befores.append((self.begin, *self.encode(before.removesuffix(" "))))
            after = tuple(self.encode(text[name.stop : name.stop + AHEAD])[:FOLLOWING])
            others = self._others(name) if after else []
            spelled = [text[name.start : name.stop], *others] if others else []
            fed += [(number, tuple(self.encode(space + each)), after) for each in spelled]
        logs: dict[int, list[float]] = {}
        for (number, _, _), log_prob in zip(fed, self._log_probs(befores, fed) if fed else (), strict=True):
            logs.setdefault(number, []).append(log_prob)
        for number, (own, *rest) in logs.items():
            gains[number] = own - float(np.mean(rest))
        return gains

    def _others(self, name: Name) -> list[str]:
        """Names of the same kind: of like predicates, and of these those of fewest tokens, which are the commonest."""
        kind = frozenset(self._predicate(key) for entity in (*name.entities, *name.others) for key in entity.keys)
        known = [(tokens, predicates) for tokens, predicates in self._names if tokens != name.tokens]
        near = sorted(known, key=lambda each: -len(kind & each[1]) / len(kind | each[1]))[:NEAR]
        return [self.decode(tokens).strip() for tokens, _ in sorted(near, key=lambda each: len(each[0]))[:OTHERS]]

    @cached_property
    def _names(self) -> list[tuple[Tokens, frozenset[Tokens]]]:
        """Some names of the index, and the predicates of each."""
        numbers = np.unique(np.linspace(0, len(self.index) - 1, SAMPLE).astype(int)).tolist()
        heads = list(dict.fromkeys(self.key_format.head(self.index.key(number)) for number in numbers))
        if not self.key_format.separators:
            return [(head, frozenset()) for head in heads]
        begun = [(*head, *self.key_format.separators[0]) for head in heads]
        nodes = [node for node in nodes_of(self.index, begun) if node is not None]
        keys = below(self.index, nodes, MAX_KEYS)
        return [
            (head, frozenset(self._predicate((*start, *rest)) for rest in some))
            for head, start, some in zip(heads, begun, keys, strict=True)
        ]

    def _predicate(self, key: Tokens) -> Tokens:
        parts = self.key_format.split(key)
        return parts[self.key_format.parts.index("predicate")] if len(parts) > 1 else ()

    @torch.inference_mode()
    def _log_probs(self, befores: Sequence[Tokens], fed: Sequence[tuple[int, Tokens, Tokens]]) -> list[float]:
        """log p of what follows each name, given all before."""
        continued, forward = self.scorer.continued, self.scorer.forward
        _, store = continued(befores, [None] * len(befores), [forward.no_context] * len(befores))
        ends = np.cumsum([len(before) for before in befores]).tolist()
        read = [ContextCache.of(store[end - len(before) : end]) for before, end in zip(befores, ends, strict=True)]
        tokens = [(*name, *after[:-1]) for _, name, after in fed]
        hidden, _ = continued(tokens, [None] * len(fed), [read[number] for number, _, _ in fed])
        ends = np.cumsum(list(map(len, tokens))).tolist()
        rows = torch.cat([hidden[end - len(after) : end] for (_, _, after), end in zip(fed, ends, strict=True)])
        targets = torch.tensor([token for _, _, after in fed for token in after], device=rows.device)
        output = forward.full_output
        logs = (output.logits_of(rows, targets) - output.log_norms(rows)).double().cpu().numpy()
        stops = np.cumsum([len(after) for _, _, after in fed])
        return [float(logs[stop - len(after) : stop].sum()) for (_, _, after), stop in zip(fed, stops, strict=True)]
