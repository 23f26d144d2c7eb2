"""Ranks, entropies and likeliest tokens against whole rows of the model's own forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import pytest

from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.rankings import Rankings
from models.language.scoring.scorer import CausalScorer
from models.language.vocabulary import Vocabulary
from tests.support.tiny_model import CONFIGS, engine, vocabulary

# Out of order and with holes, so that a local id taken for a token id shows.
MASK = vocabulary([20, 9, 12, 7, 30, 15, 25, 8, 11, 29], 5, 2, name="ranked")
OTHER = vocabulary(range(3, 31), 20, 4, name="ranked-wider")
CONTEXTS = [(2,), (2, 3, 30, 5, 17, 9)]


def scored(
    scorer: CausalScorer, mask: Vocabulary, context: Sequence[int], sentences: Sequence[tuple[int, ...]]
) -> list[ScoredSentence]:
    output = scorer.forward.output(mask)
    return scorer.score(scorer.context(context, output), output, sentences, [None] * len(sentences))


def drawn(mask: Vocabulary, lengths: Sequence[int]) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(2)
    return [tuple(int(token) for token in rng.choice(mask.ids, length)) for length in lengths]


@pytest.mark.parametrize("top", [1, 4, 20])
@pytest.mark.parametrize("mask", [MASK, OTHER], ids=lambda mask: mask.name)
@pytest.mark.parametrize("config", CONFIGS)
def test_the_model_s_own_rows_say_the_same(config: str, mask: Vocabulary, top: int) -> None:
    scorer, plain = engine(CONFIGS[config](), mask)
    output = scorer.forward.output(mask)
    for context in CONTEXTS:
        sentences = scored(scorer, mask, context, drawn(mask, (1, 7, 2, 12)))
        work = Rankings(output, sentences, top)
        for one, ranking in zip(sentences, work.run([work])[0], strict=True):
            rows = plain.rows([*context, *one.tokens])[len(context) - 1 : -1]
            own = rows[np.arange(len(rows)), mask.local_ids[list(one.tokens)]]
            assert ranking.ranks.tolist() == (1 + (rows > own[:, None]).sum(-1)).tolist()
            np.testing.assert_allclose(ranking.entropies, -(np.exp(rows) * rows).sum(-1), atol=2e-5)
            order = np.argsort(-rows, -1)[:, :top]
            assert ranking.top.tolist() == mask.ids[order].tolist()
            np.testing.assert_allclose(ranking.log_probs, np.take_along_axis(rows, order, -1), atol=2e-5)
            for place, rank in enumerate(ranking.ranks):
                if rank <= top:
                    assert ranking.top[place, rank - 1] == one.tokens[place]
                    assert ranking.log_probs[place, rank - 1] == one.log_probs[place]


def test_a_list_is_ranked_as_each_sentence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Works of several requests, and more rows than are held at once."""
    monkeypatch.setattr("models.language.forward.masked_output.LOGITS_AT_ONCE", 5 * len(MASK))
    scorer, _ = engine(CONFIGS["gemma3"](), MASK)
    output = scorer.forward.output(MASK)
    lists = [scored(scorer, MASK, context, drawn(MASK, (1, 6, 3, 11))) for context in CONTEXTS]
    works = [Rankings(output, sentences, 3) for sentences in lists]
    assert works[0].kind == works[1].kind != Rankings(output, lists[0], 2).kind
    for sentences, together in zip(lists, works[0].run(works), strict=True):
        for one, ranking in zip(sentences, together, strict=True):
            work = Rankings(output, [one], 3)
            for ours, others in zip(astuple(work.run([work])[0][0]), astuple(ranking), strict=True):
                np.testing.assert_array_equal(ours, others)
