"""Records of scores and proposals in the score cache."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.language.vocabulary import Vocabulary
from models.scores.key import KeySpace
from samplers.language import ProposalQuery, ProposalReply

if TYPE_CHECKING:
    from models.language.scoring.model import LoadedModel

_REPLY = struct.Struct("<qdd")
_QUERY = struct.Struct("<ddd?q")


class Records:
    """Keys and values of one model, vocabulary and context.

    A score is kept as its log-probs, little-endian float32, in which they were computed: a reader
    gets every bit back. A proposal is kept as the reply to its query, the query's uniform being part of
    the key: a seeded request that comes again finds the same draws, and no row of 10,000 tokens
    needs to be kept.

    Args:
        model: its fingerprint covers weights, tokenizer and precision.
        vocabulary: the mask.
        context: token ids.
    """

    def __init__(self, model: LoadedModel, vocabulary: Vocabulary, context: Sequence[int]) -> None:
        mask = [vocabulary.interior, vocabulary.ends]
        fields = (
            model.fingerprint,
            str(model.scorer.forward.arithmetic),
            mask,
            vocabulary.ids.astype("<i8").tobytes(),
            context,
        )
        self._scores = KeySpace("score", *fields)
        self._proposals = KeySpace("row", *fields)

    def score_key(self, tokens: Sequence[int]) -> bytes:
        """The key of a sentence's score."""
        return self._scores.key(tokens)

    @staticmethod
    def pack_score(log_probs: npt.NDArray[np.float64]) -> bytes:
        """The value of a score."""
        return log_probs.astype("<f4").tobytes()

    @staticmethod
    def score(value: bytes, length: int) -> npt.NDArray[np.float64] | None:
        """The score of a sentence of ``length`` tokens, or None if the value is of another size."""
        if len(value) != 4 * length:
            return None
        return np.frombuffer(value, "<f4").astype(np.float64)

    def proposal_key(self, tokens: Sequence[int], query: ProposalQuery) -> bytes:
        """The key of a reply, which depends on the tokens left of the position alone."""
        numbers = _QUERY.pack(
            query.epsilon,
            query.sharpness,
            nan if query.uniform is None else query.uniform,
            query.uniform is None,
            -1 if query.present is None else query.present,
        )
        return self._proposals.key(tokens[: query.position], query.alphabet.value, numbers)

    @staticmethod
    def pack_proposal(reply: ProposalReply) -> bytes:
        """The value of a reply."""
        return _REPLY.pack(
            -1 if reply.token is None else reply.token,
            nan if reply.log_q is None else reply.log_q,
            nan if reply.log_q_present is None else reply.log_q_present,
        )

    @staticmethod
    def proposal(value: bytes, query: ProposalQuery) -> ProposalReply | None:
        """The reply to ``query``, or None if the value is not one."""
        if len(value) != _REPLY.size:
            return None
        token, log_q, present = _REPLY.unpack(value)
        if (token < 0) != (query.uniform is None) or isnan(present) != (query.present is None):
            return None
        return ProposalReply(
            None if token < 0 else token, None if isnan(log_q) else log_q, None if isnan(present) else present
        )
