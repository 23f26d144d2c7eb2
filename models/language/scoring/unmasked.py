"""Whole texts under no mask: the model's own log-probs over all its tokens, given nothing but the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.masked_output import log_norms
from models.language.scoring.batcher import Batcher
from models.language.scoring.kv_cache import Usage
from models.language.scoring.model import LoadedModel
from models.language.scoring.scorer import CausalScorer
from models.scores.cache import ScoreCache
from models.scores.key import KeySpace

Rows = npt.NDArray[np.void]
"""The m places asked for of a text, a record of :attr:`Asked.record` each, (m,)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The places of a text that are asked for, and what of each.

    Attributes:
        within: the text's tokens but the first, which nothing goes before.
        beyond: the place after its last token, where the likeliest token is taken to stand.
        top: k, likeliest tokens to list at each place.
    """

    within: bool
    beyond: bool
    top: int

    def places(self, length: int) -> range:
        """Places in a text of ``length`` tokens; a place's row is that of the token before."""
        return range(1 if self.within else length, length + self.beyond)

    @property
    def record(self) -> np.dtype[np.void]:
        """Token, its log-prob in nats given all before, and the k likeliest tokens with theirs, the best first.

        Of equal numbers one is the same token's to the last bit.
        """
        return np.dtype(
            [("token", "<i4"), ("log_prob", "<f4"), ("top", "<i4", (self.top,)), ("top_log_probs", "<f4", (self.top,))]
        )


@dataclass(frozen=True, slots=True, eq=False)
class UnmaskedScores:
    """Texts to score under no mask; those of many requests share a forward.

    Attributes:
        scorer: of the model.
        texts: token ids of each, with at least one place asked for.
        asked: of each.
        usage: where the work is booked.
    """

    scorer: CausalScorer
    texts: Sequence[Sequence[int]]
    asked: Asked
    usage: Usage = field(default_factory=Usage)
    rank: ClassVar[int] = 1

    @property
    def kind(self) -> object:
        """Texts of which the same is asked run together."""
        return type(self), self.asked

    @property
    def cost(self) -> int:
        """Tokens to read."""
        return sum(map(len, self.texts))

    @torch.inference_mode()
    def run(self, together: Sequence[UnmaskedScores]) -> list[list[Rows]]:
        """One forward for all, and one product with the whole output layer."""
        texts = [text for work in together for text in work.texts]
        nothing = self.scorer.forward.no_context
        hidden, _ = self.scorer.continued(texts, [None] * len(texts), [nothing] * len(texts))
        for work in together:
            work.usage.lm_tokens += work.cost
        for usage in {id(work.usage): work.usage for work in together}.values():
            usage.lm_calls += 1
        states: list[Tensor] = []
        standing: list[int] = []
        for text, read in zip(texts, torch.split(hidden, list(map(len, texts))), strict=True):
            places = self.asked.places(len(text))
            states.append(read[places.start - 1 : places.stop - 1])
            standing += [text[place] if place < len(text) else -1 for place in places]
        rows = self._rows(torch.cat(states), torch.tensor(standing, device=hidden.device))
        each = iter(np.split(rows, np.cumsum(list(map(len, states)))[:-1]))
        return [[next(each) for _ in work.texts] for work in together]

    def _rows(self, hidden: Tensor, standing: Tensor) -> Rows:
        """The rows after N hidden states, (N, d), at the tokens that stand there, -1 where the text has ended."""
        output = self.scorer.forward.full_output
        rows = np.empty(len(hidden), self.asked.record)
        at = 0
        for states, given in zip(
            *(torch.split(column, output.rows_at_once) for column in (hidden, standing)), strict=True
        ):
            log_probs = output.precise_logits(states)
            log_probs -= log_norms(log_probs)[:, None]
            best = log_probs.topk(max(1, self.asked.top))
            tokens = torch.where(given < 0, best.indices[:, 0], given)
            part = rows[at : at + len(states)]
            part["token"] = tokens.cpu()
            part["log_prob"] = log_probs.gather(1, tokens[:, None])[:, 0].cpu()
            part["top"] = best.indices[:, : self.asked.top].cpu()
            part["top_log_probs"] = best.values[:, : self.asked.top].cpu()
            at += len(states)
        return rows


@dataclass(eq=False)
class UnmaskedScorer:
    """The model as a request sees it that scores texts under no mask.

    Args:
        model: the loaded model.
        batcher: where the work of all requests meets.
        scores: rows of earlier requests, or None.

    Attributes:
        usage: work done.
        recalled: tokens of texts that were answered without the model.
    """

    model: LoadedModel
    batcher: Batcher
    scores: ScoreCache | None = None
    usage: Usage = field(default_factory=Usage)
    recalled: int = 0

    async def score(self, texts: Sequence[tuple[int, ...]], asked: Asked) -> list[Rows]:
        """What is asked of each text, the same whatever others stand beside it."""
        record, scorer = asked.record, self.model.scorer
        known = {text: np.empty(0, record) for text in texts if not asked.places(len(text))}
        wanted = [text for text in dict.fromkeys(texts) if text not in known]
        keys: dict[tuple[int, ...], bytes] = {}
        if wanted and self.scores is not None:
            shape = (asked.within, asked.beyond, asked.top)
            space = KeySpace("unmasked", self.model.fingerprint, str(scorer.forward.arithmetic), shape)
            keys = {text: space.key(text) for text in wanted}
            for text, value in zip(wanted, await self.scores.get_many(list(keys.values())), strict=True):
                if value is not None and len(value) == record.itemsize * len(asked.places(len(text))):
                    known[text] = np.frombuffer(value, record)
                    self.recalled += len(text)
            wanted = [text for text in wanted if text not in known]
        if wanted:
            work = UnmaskedScores(scorer, wanted, asked, self.usage)
            fresh: list[Any] = await self.batcher.submit(work)
            known.update(zip(wanted, fresh, strict=True))
            if self.scores is not None:
                self.scores.put_many({keys[text]: known[text].tobytes() for text in wanted})
        return [known[text] for text in texts]
