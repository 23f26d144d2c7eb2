"""Paraphrases by an adapter: its law is that of the adapted model after the text, without worked paraphrases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from app.engine.adapted import adapted_models
from app.engine.engine import open_engine
from app.engine.session import open_session
from app.settings.settings import Settings
from app.tasks.paraphrases.schemas import ParaphrasesAnswer, ParaphrasesRequest
from app.tasks.paraphrases.task import Paraphrases
from models.language.adapters.registry import PARAPHRASES
from tests.support import tiny_service as tiny

ASKED = {
    "今天我们去公园散步。": ("zh", "\n句子：今天我们去公园散步。\n换句话说："),
    "The dog runs in the park.": ("en", "\nSentence: The dog runs in the park.\nIn other words:"),
}


@pytest.mark.parametrize("asked_for", [None, "今天天气很好。"])
def test_the_law_is_that_of_the_adapted_model_unless_a_context_is_given(tmp_path: Path, asked_for: str | None) -> None:
    folder = tiny.save(tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(1)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    settings = Settings(model=str(folder), state_dir=tmp_path, redis_url="off", precision="float32")
    sampler = {"kind": "metropolis", "chains": 2, "steps": 20}
    body = {"texts": [*ASKED], "context": asked_for, "sampler": sampler, "similarity": "model", "samples": 4, "seed": 2}

    async def run() -> None:
        async with open_engine(settings, lambda what, share: None) as engine:
            engine.loaded = replace(engine.model, adapters=dict.fromkeys(PARAPHRASES.values(), tmp_path / "adapter"))
            answer = await Paraphrases().run(ParaphrasesRequest.model_validate(body), engine)
            assert isinstance(answer, ParaphrasesAnswer)
            read = await adapted_models(engine).get(None if asked_for else tmp_path / "adapter")
            assert answer.model.fingerprint == read.fingerprint
            for one in answer.paraphrases:
                code, asks = ASKED[one.source]
                assert one.model.context == (asked_for or asks) and one.model.fingerprint == read.fingerprint
                session = await open_session(engine, one.model.vocabulary, asked_for or asks, 40, model=read)
                sentence = read.vocabulary(one.model.vocabulary).sentence
                scored = await session.score(
                    [tuple(sentence(each.text)) for each in one.texts], [None] * len(one.texts)
                )
                assert one.language == code and one.texts
                for each, expected in zip(one.texts, scored, strict=True):
                    assert each.log_prob == pytest.approx(expected.log_probs.sum(), abs=1e-3)

    asyncio.run(run())
