"""Both families write keys and learn in bfloat16, on any processor."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.language.scoring.scorer import CausalScorer
from models.retrieval.training.starting import begin
from models.retrieval.training.train import Trainer
from models.retrieval.writers.base import Extension, KeyModel
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec
from models.retrieval.writers.encoder_decoder import EncoderDecoderKeyModel
from tests.models.retrieval.families import END, decode, encode, encoder_decoder
from tests.models.retrieval.training.test_learners import OPTIONS, TRAIN
from tests.support.tiny_model import CONFIGS, SIZE, build

CAUSAL, ENCODER = KeyCodec.prefix_lm(encode, decode, 2, END), KeyCodec.encoder(encode, decode, END)
NAMES = ["gemma3", "gpt2", "t5", "bart"]


def weights(name: str, dtype: torch.dtype) -> Any:
    return (build(CONFIGS[name](), "sdpa") if name in CONFIGS else encoder_decoder(name).plain).to(dtype)


def writer(name: str, dtype: torch.dtype) -> KeyModel:
    model = weights(name, dtype)
    return CausalKeyModel(CausalScorer(model), CAUSAL) if name in CONFIGS else EncoderDecoderKeyModel(model, ENCODER)


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_scored_as_rounding_lets(name: str) -> None:
    every = np.arange(SIZE)

    def scores(dtype: torch.dtype) -> list[np.ndarray[Any, Any]]:
        session = writer(name, dtype).read(["abc"])
        (first,) = session.extend([Extension(0, None, (6, 7, 8), every)], raw=True)
        (second,) = session.extend([Extension(0, first.state, (9,), every)], raw=True)
        return [first.renormalised, second.renormalised]

    for half, single in zip(scores(torch.bfloat16), scores(torch.float32), strict=True):
        divergence = float((np.exp(single) * (single - half)).sum())
        assert 0 <= divergence + 1e-9 < 0.02


@pytest.mark.parametrize("name", ["gemma3", "t5"])
def test_it_learns(name: str, tmp_path: Path) -> None:
    family, codec = ("causal", CAUSAL) if name in CONFIGS else ("encoder-decoder", ENCODER)
    options = OPTIONS.model_copy(update={"epochs": 8, "evaluate_every": 8, "warmup": 1})
    model = weights(name, torch.bfloat16).requires_grad_(False)
    trainer = Trainer(begin(model, name, family, codec, options), codec, TRAIN, TRAIN, tmp_path, options)  # type: ignore[arg-type]
    before = trainer.evaluate()
    trainer.run(trainer.resume())
    after = trainer.evaluate()
    assert math.isfinite(after.language) and after.language < before.language
