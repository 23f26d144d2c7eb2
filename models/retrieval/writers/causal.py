"""A prefix-LM: a causal LM that reads ``question SEP`` and writes the key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.writers.base import Extended, Extension
from models.retrieval.writers.codec import KeyCodec


@dataclass(frozen=True, eq=False)
class CausalKeyModel:
    """The packed scorer behind :class:`models.retrieval.writers.base.KeyModel`."""

    scorer: CausalScorer  # of the LM, its adapter merged
    codec: KeyCodec
    longest: int = 512  # most tokens of a question
    before: ContextCache | None = None  # what every question continues; None for nothing

    def read(self, questions: Sequence[str]) -> CausalSession:
        """See :meth:`models.retrieval.writers.base.KeyModel.read`."""
        return CausalSession(self.scorer, self.codec.questions(questions, self.longest), self.before)


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """Keys and values of the k tokens of a hypothesis after its context, (k, layers, 2, H, D)."""

    store: Tensor


class _Read(NamedTuple):
    """A question that has been read."""

    context: ContextCache  # shared by its hypotheses
    own: Tensor | None  # its keys and values, where the context is what all questions continue
    last: Tensor  # last hidden state of its last token, (1, d)


@dataclass(eq=False)
class CausalSession:
    """Questions are read once, as contexts, which hypotheses continue.

    Where questions continue something themselves, that is the context of all hypotheses, so that these attend to it in
    one product; each then holds its question's keys and values beside its own.
    """

    scorer: CausalScorer
    questions: Sequence[tuple[int, ...]]  # their tokens
    before: ContextCache | None = None
    _begun: dict[int, _Read] = field(default_factory=dict, init=False)

    @torch.inference_mode()
    def extend(self, extensions: Sequence[Extension], *, raw: bool) -> list[Extended]:
        """See :meth:`models.retrieval.writers.base.Session.extend`."""
        self._read(dict.fromkeys(one.question for one in extensions))
        # Hypotheses of one question stand together, so that its context is attended to once for all.
        order = sorted((i for i, one in enumerate(extensions) if one.run), key=lambda i: extensions[i].question)
        hidden: dict[int, Tensor] = {}
        states: dict[int, Tensor | None] = {}
        if order:
            begun = [self._begun[extensions[i].question] for i in order]
            kept = [_store(extensions[i].state, one.own) for i, one in zip(order, begun, strict=True)]
            contexts = [one.context for one in begun]
            rows, fresh = self.scorer.continued([extensions[i].run for i in order], kept, contexts)
            at = 0
            for i, before in zip(order, kept, strict=True):
                stop = at + len(extensions[i].run)
                hidden[i] = rows[at:stop]
                states[i] = fresh[at:stop].clone() if before is None else torch.cat((before, fresh[at:stop]))
                at = stop
        for i, one in enumerate(extensions):
            if one.state is None:
                last = self._begun[one.question].last
                hidden[i] = torch.cat((last, hidden[i])) if one.run else last
        return self._answers(extensions, [hidden[i] for i in range(len(extensions))], states, raw)

    def _answers(
        self, extensions: Sequence[Extension], hidden: Sequence[Tensor], states: dict[int, Tensor | None], raw: bool
    ) -> list[Extended]:
        """Turn hidden rows into log-probabilities; row -1 of each predicts what follows its run."""
        targets = [one.run if one.state is None else one.run[1:] for one in extensions]
        rows = torch.cat(list(hidden))
        norms = self.scorer.forward.full_output.log_norms(rows) if raw else None
        # One gather for all: pairs (row, token).
        pairs: list[tuple[int, int]] = []
        start = 0
        for one, mine, target in zip(extensions, hidden, targets, strict=True):
            last = start + len(mine) - 1
            if raw:
                pairs += [(start + k, token) for k, token in enumerate(target)]
            pairs += [(last, int(token)) for token in one.asked]
            start += len(mine)
        where = torch.tensor(pairs, dtype=torch.int64, device=rows.device).reshape(-1, 2)
        logits = self.scorer.forward.full_output.logits_of(rows[where[:, 0]], where[:, 1]).double()
        normed = None if norms is None else (logits - norms[where[:, 0]].double()).cpu().numpy()
        plain = logits.cpu().numpy()
        answers: list[Extended] = []
        at = 0
        for i, (one, target) in enumerate(zip(extensions, targets, strict=True)):
            written, raw_asked = None, None
            if normed is not None:
                lost = np.full(len(one.run) - len(target), np.nan)
                written = np.concatenate((lost, normed[at : at + len(target)]))
                at += len(target)
                raw_asked = normed[at : at + len(one.asked)]
            answers.append(
                Extended(
                    None if (store := states.get(i)) is None else _Written(store),
                    _log_softmax(plain[at : at + len(one.asked)]),
                    raw_asked,
                    written,
                )
            )
            at += len(one.asked)
        return answers

    def _read(self, numbers: Sequence[int] | dict[int, None]) -> None:
        new = [number for number in numbers if number not in self._begun]
        if not new:
            return
        tokens = [self.questions[number] for number in new]
        before = self.scorer.forward.no_context if self.before is None else self.before
        hidden, fresh = self.scorer.continued(tokens, [None] * len(new), [before] * len(new))
        at = 0
        for number, one in zip(new, tokens, strict=True):
            stop = at + len(one)
            own, last = fresh[at:stop], hidden[stop - 1 : stop].clone()
            shared = None if self.before is None else own.clone()
            self._begun[number] = _Read(ContextCache.of(own) if self.before is None else self.before, shared, last)
            at = stop


def _store(state: object | None, question: Tensor | None) -> Tensor | None:
    """Keys and values that a hypothesis continues beside its context."""
    return state.store if isinstance(state, _Written) else question


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(logits):
        return logits
    top = logits.max()
    result: NDArray[np.float64] = logits - top - np.log(np.exp(logits - top).sum())
    return result
