"""Look-ahead: branches whose completions cover characters of the question are favoured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.retrieval.metrics import lcs
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.search.stem import Stem
from models.retrieval.writers.codec import KeyCodec

MAX_COMPLETIONS = 8
"""Completions of a branch that are followed at once."""
MAX_COMPLETION_TOKENS = 12
"""Tokens by which a part is completed at most."""


@dataclass(frozen=True, eq=False)
class LookAhead:
    """Likeness to the question of the parts of keys below a choice.

    For a choice c of a stem, let r range over completions, below c, of the part of the key that is
    being written (up to its separator or its end), each part being then the text p r. With q the
    question,

        cover(c) = max_r LCS(p r, q) / sqrt(|p r|),

    LCS the length of a longest common subsequence of characters; the term added to log p(c) is
    weight * (cover(c) - max of cover over the stem's choices), at most 0. Su's look-ahead (blog post
    8802) also favours a token by the question's characters that the trie still offers behind it.

    The cost is bounded: cover is computed for the model's ``most`` likeliest choices only (others
    are given cover 0), and r over the :data:`MAX_COMPLETIONS` partial completions that cover most, each
    grown by at most ``8 * MAX_COMPLETIONS`` of its next tokens and :data:`MAX_COMPLETION_TOKENS` times; all
    choices of a stem are grown side by side.
    """

    index: PrefixIndex
    codec: KeyCodec
    question: str  # q
    weight: float  # in nats for one unit of cover
    most: int  # choices of a stem whose cover is computed
    _texts: dict[int, str] = field(default_factory=dict, init=False)
    _known: dict[int, tuple[Stem, NDArray[np.float64]]] = field(default_factory=dict, init=False)

    def __call__(self, stem: Stem) -> NDArray[np.float64]:
        """The term added to the log-probabilities of a stem's choices, (A,)."""
        if id(stem) not in self._known:
            # The stem is kept too: another object must not come by its id.
            self._known[id(stem)] = (stem, self._prior(stem))
        return self._known[id(stem)][1]

    def _prior(self, stem: Stem) -> NDArray[np.float64]:
        cover = np.zeros(len(stem.tokens_next))
        likely = np.argsort(-stem.renormalised, kind="stable")[: self.most]
        begun: list[int] = []
        for token in reversed(stem.tokens):
            if token == self.codec.separator:
                break
            begun.append(token)
        begun.reverse()
        closing = (self.codec.end, self.codec.separator)
        ends = np.isin(stem.tokens_next[likely], closing)
        open_ = likely[~ends].tolist()
        if ends.any():
            cover[likely[ends]] = self._cover(begun)
        for at, value in self._grow(stem, begun, open_).items():
            cover[at] = value
        result: NDArray[np.float64] = self.weight * (cover - cover.max())
        return result

    def _grow(self, stem: Stem, begun: list[int], open_: list[int]) -> dict[int, float]:
        """The cover of each choice that goes on with its part."""
        best = dict.fromkeys(open_, 0.0)
        front = [(at, [*begun, int(stem.tokens_next[at])], int(stem.children[at])) for at in open_]
        for _ in range(MAX_COMPLETION_TOKENS):
            if not front:
                break
            allowed = self.index.allowed(np.array([node for *_, node in front], dtype=np.int64))
            grown: dict[int, list[tuple[float, list[int], int]]] = {}
            for place, (at, part, _node) in enumerate(front):
                span = allowed.span(place)
                tokens, children = allowed.tokens[span], allowed.children[span]
                if allowed.final[place] or self.codec.separator in tokens:
                    best[at] = max(best[at], self._cover(part))
                for i in self._fitting(tokens):
                    if tokens[i] != self.codec.separator:
                        longer = [*part, int(tokens[i])]
                        grown.setdefault(at, []).append((self._cover(longer), longer, int(children[i])))
            front = []
            for at, partial in grown.items():
                partial.sort(key=lambda one: -one[0])
                front += [(at, part, node) for _, part, node in partial[:MAX_COMPLETIONS]]
        return best

    def _fitting(self, tokens: NDArray[np.int64]) -> list[int]:
        """Places of at most ``8 * MAX_COMPLETIONS`` tokens, those first that share a character with the question."""
        if len(tokens) <= 8 * MAX_COMPLETIONS:
            return list(range(len(tokens)))
        letters = set(self.question)
        shares = [bool(letters.intersection(self._text(token))) for token in tokens.tolist()]
        return sorted(range(len(tokens)), key=lambda i: not shares[i])[: 8 * MAX_COMPLETIONS]

    def _text(self, token: int) -> str:
        if token not in self._texts:
            self._texts[token] = self.codec.decode([token])
        return self._texts[token]

    def _cover(self, part: list[int]) -> float:
        text = self.codec.decode(part)
        return lcs(text, self.question) / len(text) ** 0.5 if text else 0.0
