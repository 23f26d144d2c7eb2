"""The packed session: what is fed, and that splitting a batch changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.language.scoring.scorer import CausalScorer
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.writers.base import Extension
from models.retrieval.writers.causal import CausalKeyModel
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import END, causal
from tests.support.tiny_model import CONFIGS, build


def test_only_new_tokens_are_fed() -> None:
    family = causal("llama")
    model = family.key_model
    assert isinstance(model, CausalKeyModel)
    before = model.scorer.usage.lm_tokens
    session = model.read(["abc"])
    nothing = np.array([END])
    (first,) = session.extend([Extension(0, None, (6, 7), nothing)], raw=False)
    assert model.scorer.usage.lm_tokens - before == len(model.codec.question("abc")) + 2
    before = model.scorer.usage.lm_tokens
    session.extend([Extension(0, first.state, (8,), nothing), Extension(0, first.state, (9, 5), nothing)], raw=False)
    assert model.scorer.usage.lm_tokens - before == 3


def test_renormalised_a_forced_run_is_never_fed() -> None:
    family = causal("llama")
    assert isinstance(family.key_model, CausalKeyModel)
    usage = family.key_model.scorer.usage
    # One choice at the beginning, then everything is forced.
    index = DictIndex([(5, 6, 7, 8), (9, 6, 7, 8)])
    before = usage.lm_tokens
    search(index, family.key_model, ["abc"], SearchOptions(n=2, beams=2))
    assert usage.lm_tokens - before == len(family.key_model.codec.question("abc"))


@pytest.mark.parametrize("name", ["llama", "gemma3-window"])
def test_a_batch_split_by_memory_is_scored_alike(name: str) -> None:
    index = DictIndex(np.random.default_rng(0).integers(5, 9, (30, 6)).tolist())
    questions = ["abc", "defgab", "a", "bbbb"]
    wide = causal(name).key_model
    tight = CausalKeyModel(CausalScorer(build(CONFIGS[name]()), max_tokens=7, max_slots=64), wide.codec)
    options = SearchOptions(n=4, beams=4, with_raw=True)
    for one, other in zip(*(search(index, model, questions, options) for model in (wide, tight)), strict=True):
        assert [found.tokens for found in one.found] == [found.tokens for found in other.found]
        for a, b in zip(one.found, other.found, strict=True):
            assert (a.raw, a.renormalised) == pytest.approx((b.raw, b.renormalised), abs=1e-4)


def test_full_and_single_logits_agree() -> None:
    output = CausalScorer(build(CONFIGS["gemma2"]())).forward.full_output
    hidden = torch.randn(5, 32)
    tokens = torch.tensor([1, 7, 0, 31, 9])
    every = output.logits(hidden)
    torch.testing.assert_close(output.logits_of(hidden, tokens), every[torch.arange(5), tokens])
    assert every.abs().max() <= 3.0, "capped, as the configuration says"
