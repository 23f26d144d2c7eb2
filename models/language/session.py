"""A language model as samplers see it: one context, one vocabulary, asynchronous."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from models.language.head import Head
from models.language.loading import LoadedModel
from models.language.scorer import Context, ScoredSentence, Usage
from samplers.language import RowQuery, RowReply

T = TypeVar("T")


class ContextLengthError(ValueError):
    """A context does not leave room for a sentence within the model's length."""


@dataclass(eq=False)
class Session:
    """Implements :class:`samplers.language.LanguageModel` for one request.

    The model runs in an executor's thread, so the event loop stays free. Sentences already
    scored in this session are remembered without their keys and values: chains that are stuck
    propose the same edits again and again.

    Attributes:
        model: the loaded model.
        head: the output layer of the vocabulary.
        context: what every sentence continues.
        executor: one thread, shared by all sessions of the process.
        remember: most sentences remembered; 0 remembers none.
        usage: work done for this session.
        recalled: scores answered from memory.
    """

    model: LoadedModel
    head: Head
    context: Context
    executor: Executor
    remember: int = 4096
    usage: Usage = field(default_factory=Usage)
    recalled: int = 0
    _memory: OrderedDict[tuple[int, ...], ScoredSentence] = field(default_factory=OrderedDict)

    @classmethod
    async def open(
        cls,
        model: LoadedModel,
        vocabulary: str,
        context: str,
        executor: Executor,
        *,
        remember: int = 4096,
        foresight: bool = False,
    ) -> Session:
        """Read the context and prepare the vocabulary's head.

        Args:
            model: the loaded model.
            vocabulary: name of the mask.
            context: what every sentence continues.
            executor: one thread, shared by all sessions of the process.
            remember: most sentences remembered.
            foresight: whether rows will look ahead. At first use of a vocabulary this builds its
                bigram model, which takes seconds and is not booked as usage.

        Raises:
            ContextLengthError: the context fills the model's length.
            KeyError: no vocabulary of this name.
        """
        tokens = [model.begin, *model.tokenizer.encode(context)]
        if len(tokens) >= model.max_context:
            raise ContextLengthError(
                f"context has {len(tokens)} tokens; the model takes {model.max_context} with the sentence"
            )
        if foresight:
            await asyncio.get_running_loop().run_in_executor(executor, model.foresee, vocabulary)
        usage = Usage()

        def prepare() -> tuple[Head, Context]:
            head = model.scorer.head(model.vocabulary(vocabulary))
            return head, model.scorer.context(tokens, head)

        head, read = await _run(executor, model, usage, prepare)
        return cls(model, head, read, executor, remember, usage)

    async def score(
        self, sentences: Sequence[tuple[int, ...]], bases: Sequence[ScoredSentence | None]
    ) -> list[ScoredSentence]:
        """See :meth:`samplers.language.LanguageModel.score`."""
        known = {tokens: hit for tokens in sentences if (hit := self._recall(tokens)) is not None}
        unknown: dict[tuple[int, ...], ScoredSentence | None] = {}
        for tokens, base in zip(sentences, bases, strict=True):
            if tokens not in known:
                unknown.setdefault(tokens, base)
        self.recalled += len(sentences) - len(unknown)
        if unknown:
            fresh = await _run(
                self.executor,
                self.model,
                self.usage,
                lambda: self.model.scorer.score(self.context, self.head, list(unknown), list(unknown.values())),
            )
            for scored in fresh:
                known[scored.tokens] = scored
                self._remember(scored)
        return [known[tokens] for tokens in sentences]

    async def rows(self, scored: Sequence[ScoredSentence], queries: Sequence[RowQuery]) -> list[RowReply]:
        """See :meth:`samplers.language.LanguageModel.rows`."""
        if not queries:
            return []
        return await _run(
            self.executor, self.model, self.usage, lambda: self.model.scorer.rows(self.head, scored, queries)
        )

    def _recall(self, tokens: tuple[int, ...]) -> ScoredSentence | None:
        hit = self._memory.get(tokens)
        if hit is not None:
            self._memory.move_to_end(tokens)
        return hit

    def _remember(self, scored: ScoredSentence) -> None:
        if self.remember:
            self._memory[scored.tokens] = replace(scored, store=None)
            while len(self._memory) > self.remember:
                self._memory.popitem(last=False)


async def _run(executor: Executor, model: LoadedModel, usage: Usage, work: Callable[[], T]) -> T:
    """Run work on the model's thread and book what it cost to ``usage``."""

    def booked() -> T:
        before = replace(model.scorer.usage)
        result = work()
        usage.lm_calls += model.scorer.usage.lm_calls - before.lm_calls
        usage.lm_tokens += model.scorer.usage.lm_tokens - before.lm_tokens
        return result

    return await asyncio.get_running_loop().run_in_executor(executor, booked)
