"""A language model as samplers see it: one context, one vocabulary, asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from cachetools import FIFOCache, LRUCache

from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.batcher import Batcher, Regular
from models.language.scoring.kv_cache import Context, ScoredSentence, Usage
from models.language.scoring.model import LoadedModel
from models.language.scoring.prefixes import Readings, ReadPrefix
from models.language.scoring.rankings import Ranking, Rankings
from models.language.scoring.records import Records
from models.language.scoring.work import Proposals, Scores
from models.scores.cache import ScoreCache
from samplers.language import ProposalQuery, ProposalReply
from samplers.lattices.language import TokenIds


class ContextLengthError(ValueError):
    """A context does not leave room for a sentence within the model's length."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredScore:
    """A score from the score cache, without the hidden states that proposals are drawn from.

    Attributes:
        tokens: token ids, n of them.
        log_probs: log p(x_i | context, x_<i) over the allowed tokens, in nats, (n,).
    """

    tokens: tuple[int, ...]
    log_probs: npt.NDArray[np.float64]


MAX_EDITED_SENTENCES = 64
"""Sentences of a session whose keys and values are kept although no chain may stand at them; 0.5 MB each."""

Known = ScoredSentence | StoredScore

_NOTHING_STORED: Mapping[tuple[int, ...], StoredScore] = MappingProxyType({})


@dataclass(eq=False)
class Session:
    """Implements :class:`samplers.language.LanguageModel` for one request.

    Answers come from three places, in this order: the sentences that this session scored last,
    the score cache, and the model. Which of them answers changes no answer: scores do not depend
    on the batch, and a draw is a function of its query. The context itself is read only when
    the model is first needed.

    Attributes:
        model: the loaded model.
        output: the output layer of the vocabulary.
        context: token ids of the text that every sentence continues.
        batcher: where the work of all sessions meets.
        scores: scores and proposals of earlier sessions, or None.
        remember: most sentences remembered with their hidden states; 0 remembers none.
        edited: most sentences whose keys and values are kept although no chain may stand at them.
        usage: work done for this session.
        recalled: scores and proposals answered without the model.
    """

    model: LoadedModel
    output: MaskedOutput
    context: tuple[int, ...]
    batcher: Batcher
    scores: ScoreCache | None = None
    remember: int = 512
    edited: int = MAX_EDITED_SENTENCES
    usage: Usage = field(default_factory=Usage)
    recalled: int = 0
    _read: Context | None = None
    _caller: Regular | None = None

    def __post_init__(self) -> None:
        self._records = Records(self.model, self.output.vocabulary, self.context)
        self._memory: LRUCache[tuple[int, ...], ScoredSentence] = LRUCache(self.remember)
        # The keys and values of the sentences edited last, which will be edited again.
        self._edited: FIFOCache[tuple[int, ...], ScoredSentence] = FIFOCache(self.edited)

    @classmethod
    async def open(
        cls,
        model: LoadedModel,
        vocabulary: str,
        context: str | Sequence[int],
        batcher: Batcher,
        *,
        scores: ScoreCache | None = None,
        remember: int = 512,
        edited: int = MAX_EDITED_SENTENCES,
    ) -> Session:
        """Prepare the vocabulary's output layer.

        Args:
            model: the loaded model.
            vocabulary: name of the mask.
            context: the text that every sentence continues, or its tokens without the model's begin token.
            batcher, scores: shared by all sessions of the process.
            remember, edited: most sentences kept.

        Raises:
            ContextLengthError: the context fills the model's length.
            KeyError: no vocabulary of this name.
        """
        tokens = (model.begin, *(model.tokenizer.encode(context) if isinstance(context, str) else context))
        if len(tokens) >= model.max_context:
            raise ContextLengthError(
                f"context has {len(tokens)} tokens; the model takes {model.max_context} with the sentence"
            )
        masked = await asyncio.to_thread(model.vocabulary, vocabulary)
        # In the model's thread: OpenMP stops spinning at its barriers once two threads have used all cores.
        forward = model.scorer.forward
        output = forward.made(masked)
        if output is None:
            output = await batcher.call(lambda: forward.output(masked))
        return cls(model, output, tokens, batcher, scores, remember, edited)

    @contextmanager
    def sampling(self, *others: Session) -> Iterator[None]:
        """As long as this holds, every answer is soon followed by the next question; the batcher counts on it.

        Other sessions of the same request are one caller with this one.
        """
        sessions = (self, *others)
        with self.batcher.regular() as caller:
            for session in sessions:
                session._caller = caller
            try:
                yield
            finally:
                for session in sessions:
                    session._caller = None

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[Known | None]) -> list[Known]:
        """See :meth:`samplers.language.LanguageModel.score`."""
        known: dict[tuple[int, ...], Known] = {}
        wanted: dict[tuple[int, ...], Known | None] = {}
        for tokens, base in zip(sentences, bases, strict=True):
            if (hit := self._recall(tokens)) is not None:
                known[tokens] = hit
            else:
                wanted.setdefault(tokens, base)
        if wanted and self.scores is not None:
            asked = list(wanted)
            values = await self.scores.get_many([self._records.score_key(tokens) for tokens in asked])
            for tokens, value in zip(asked, values, strict=True):
                if value is not None and (log_probs := self._records.score(value, len(tokens))) is not None:
                    known[tokens] = StoredScore(tokens, log_probs)
                    del wanted[tokens]
        self.recalled += len(sentences) - len(wanted)
        if wanted:
            for scored in await self._model_scores(list(wanted), list(wanted.values())):
                known[scored.tokens] = scored
        return [known[tokens] for tokens in sentences]

    async def propose(self, scored: Sequence[Known], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        """See :meth:`samplers.language.LanguageModel.propose`."""
        replies: list[ProposalReply | None] = [None] * len(queries)
        keys: list[bytes] = []
        if queries and self.scores is not None:
            keys = [self._records.proposal_key(one.tokens, query) for one, query in zip(scored, queries, strict=True)]
            for i, value in enumerate(await self.scores.get_many(keys)):
                replies[i] = None if value is None else self._records.proposal(value, queries[i])
        missing = [i for i, reply in enumerate(replies) if reply is None]
        self.recalled += len(queries) - len(missing)
        if missing:
            full = await self._with_states([scored[i] for i in missing])
            fresh = await self.batcher.submit(Proposals(self.output, full, [queries[i] for i in missing]), self._caller)
            for i, reply in zip(missing, fresh, strict=True):
                replies[i] = reply
            if self.scores is not None:
                self.scores.put_many(
                    {keys[i]: self._records.pack_proposal(reply) for i, reply in zip(missing, fresh, strict=True)}
                )
        return [reply for reply in replies if reply is not None]

    async def rank(self, scored: Sequence[Known], top: int) -> list[Ranking]:
        """Where the tokens of scored sentences stand in their rows, and the ``top`` likeliest tokens at each place."""
        work = Rankings(self.output, await self._with_states(scored), top)
        rankings: list[Ranking] = await self.batcher.submit(work, self._caller)
        return rankings

    async def read(
        self,
        prefixes: Sequence[ReadPrefix | None],
        tokens: Sequence[Sequence[int]],
        asked: Sequence[Sequence[TokenIds]],
    ) -> list[list[ReadPrefix]]:
        """See :meth:`samplers.lattices.language.PrefixModel.read`."""
        local, context = self.output.vocabulary.local_ids, await self._context()
        wanted = [[local[ids] for ids in of_one] for of_one in asked]
        work = Readings(self.model.scorer, context, self.output, prefixes, tokens, wanted, self.usage)
        answer: list[list[ReadPrefix]] = await self.batcher.submit(work, self._caller)
        return answer

    async def _context(self) -> Context:
        """The context, read at first use."""
        if self._read is None:
            self._read = await self.batcher.call(
                lambda: self.model.scorer.context(self.context, self.output, self.usage)
            )
        return self._read

    async def _model_scores(
        self,
        sentences: Sequence[tuple[int, ...]],
        bases: Sequence[Known | None],
        stored: Mapping[tuple[int, ...], StoredScore] = _NOTHING_STORED,
    ) -> list[ScoredSentence]:
        """Score with the model, and keep; what is stored already stays as it is, to the last bit."""
        edited = {base.tokens: base for base in bases if base is not None}
        states = dict(zip(edited, await self._with_states(list(edited.values())), strict=True))
        context = await self._context()
        whole = [None if base is None else states[base.tokens] for base in bases]
        work = Scores(self.model.scorer, context, self.output, sentences, whole, self.usage)
        computed: list[ScoredSentence] = await self.batcher.submit(work, self._caller)
        fresh = [
            replace(one, log_probs=stored[one.tokens].log_probs) if one.tokens in stored else one for one in computed
        ]
        if self.remember:
            # Keys and values take as much as all else many times over.
            self._memory.update((one.tokens, replace(one, kv=None)) for one in fresh)
        self._edited.update(states)
        if self.scores is not None:
            self.scores.put_many(
                {
                    self._records.score_key(one.tokens): self._records.pack_score(one.log_probs)
                    for one in fresh
                    if one.tokens not in stored
                }
            )
        return fresh

    async def _with_states(self, scored: Sequence[Known]) -> list[ScoredSentence]:
        """The same sentences with hidden states, from memory or from the model."""
        found = {
            one.tokens: full
            for one in scored
            if (full := one if isinstance(one, ScoredSentence) else self._recall(one.tokens)) is not None
        }
        lacking = {one.tokens: one for one in scored if isinstance(one, StoredScore) and one.tokens not in found}
        if lacking:
            fresh = await self._model_scores(list(lacking), [None] * len(lacking), lacking)
            found.update(zip(lacking, fresh, strict=True))
        return [found[one.tokens] for one in scored]

    def _recall(self, tokens: tuple[int, ...]) -> ScoredSentence | None:
        if (edited := self._edited.get(tokens)) is not None:
            return edited
        hit = self._memory.get(tokens)
        return None if hit is None else replace(hit, kv=None)  # a copy, so that none is added to what is remembered
