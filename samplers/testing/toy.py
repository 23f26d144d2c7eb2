"""Toy language model of eight tokens, all of whose probabilities are known."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.language import Alphabet, ProposalQuery, ProposalReply, Scored

PIECES = (" a", " b", " c", "s", ".", "!", " k", "t")
"""Token texts. " a" is a word; "s" grows the word before it ("as"), so it can spoil a keyword."""
INTERIOR = (0, 1, 2, 3)
"""Tokens that may be free; the last two stand in keywords alone."""
ENDS = (4, 5)
_LIKELY = np.array([2.5, 2.5, 1, 2.5, 1, 1, 1, 1])
"""Ends are less likely than words, so that sentences of all lengths carry mass."""
A, B, C, S, STOP, BANG, K, T = range(8)
_ALPHABETS = {Alphabet.INTERIOR: INTERIOR, Alphabet.ENDS: ENDS, Alphabet.BOTH: INTERIOR + ENDS}


def decode(tokens: Sequence[int]) -> str:
    """The text that a reader sees."""
    return "".join(PIECES[token] for token in tokens).strip()


@dataclass(frozen=True, slots=True)
class ToyScored:
    """A scored sentence; the toy keeps nothing else with it."""

    tokens: tuple[int, ...]
    log_probs: npt.NDArray[np.float64]


@dataclass(slots=True)
class ToyLanguage:
    """p(. | x_<i) is random for each whole prefix, normalised over all eight tokens.

    Dependence on the whole prefix leaves no symmetry behind which a wrong ratio could hide.

    Attributes:
        seed: of the table.
        spread: standard deviation of the logits.
        calls: the calls so far, ``("score" or "propose", batch size)``, for tests of batching.
    """

    seed: int = 0
    spread: float = 0.7
    calls: list[tuple[str, int]] = field(default_factory=list)
    _table: dict[tuple[int, ...], npt.NDArray[np.float64]] = field(default_factory=dict)
    _scores: dict[tuple[int, ...], ToyScored] = field(default_factory=dict)
    _proposals: dict[Any, tuple[list[float], list[float]]] = field(default_factory=dict)

    def probabilities(self, prefix: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """p(. | prefix) over all tokens, shape (8,)."""
        if prefix not in self._table:
            logits = self.spread * np.random.default_rng([self.seed, len(prefix), *prefix]).standard_normal(len(PIECES))
            weights = np.exp(logits) * _LIKELY
            self._table[prefix] = weights / weights.sum()
        return self._table[prefix]

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[Scored | None]) -> list[ToyScored]:
        """See :class:`samplers.language.LanguageModel`."""
        self.calls.append(("score", len(sentences)))
        assert len(sentences) == len(bases)
        return [self._scored(tuple(x)) for x in sentences]

    async def propose(self, scored: Sequence[Scored], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        """See :class:`samplers.language.LanguageModel`."""
        self.calls.append(("propose", len(queries)))
        return [self._reply(base.tokens, query) for base, query in zip(scored, queries, strict=True)]

    def _scored(self, x: tuple[int, ...]) -> ToyScored:
        if x not in self._scores:
            log_probs = np.array([np.log(self.probabilities(x[:i])[token]) for i, token in enumerate(x)])
            self._scores[x] = ToyScored(x, log_probs)
        return self._scores[x]

    def distribution(self, tokens: tuple[int, ...], query: ProposalQuery) -> dict[int, float]:
        """log q of every token of the query's alphabet, in nats."""
        alphabet = _ALPHABETS[query.alphabet]
        return dict(zip(alphabet, self._proposal(tokens, query, alphabet)[1], strict=True))

    def _proposal(
        self, tokens: tuple[int, ...], query: ProposalQuery, alphabet: tuple[int, ...]
    ) -> tuple[list[float], list[float]]:
        """Cumulative q and log q over an alphabet."""
        prefix = tokens[: query.position]
        key = (prefix, query.epsilon, query.sharpness, alphabet)
        if key not in self._proposals:
            p = self.probabilities(prefix)[list(alphabet)] ** query.sharpness
            q = (1 - query.epsilon) * p / p.sum() + query.epsilon / len(alphabet)
            self._proposals[key] = q.cumsum().tolist(), np.log(q).tolist()
        return self._proposals[key]

    def _reply(self, tokens: tuple[int, ...], query: ProposalQuery) -> ProposalReply:
        alphabet = _ALPHABETS[query.alphabet]
        cdf, log_q = self._proposal(tokens, query, alphabet)
        token = drawn = present = None
        if query.uniform is not None:
            k = min(bisect_right(cdf, query.uniform), len(alphabet) - 1)
            token, drawn = alphabet[k], log_q[k]
        if query.present is not None:
            present = log_q[alphabet.index(query.present)]
        return ProposalReply(token, drawn, present)
