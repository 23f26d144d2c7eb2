"""The engine's model with an adapter scores as the model into which peft merges it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from app.engine.adapted import adapted_models
from app.engine.engine import Engine, open_engine
from app.engine.session import open_session
from app.settings.settings import Settings
from models.language.loading import LoadingError
from models.language.scoring.work import Scores
from tests.support import tiny_service as tiny

TEXT = "今天我们去公园散步。"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of the tiny model that changes its weights."""
    folder = tiny.save(tmp_path_factory.mktemp("base"))
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(1)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder / "adapter")
    return folder / "adapter"


def settings_of(model: Path, state: Path) -> Settings:
    return Settings(model=str(model), state_dir=state, redis_url="off", precision="float32")


async def log_probs(engine: Engine, adapter: Path | None) -> Any:
    model = await adapted_models(engine).get(adapter)
    session = await open_session(engine, "zh", "今天早上", 20, model=model)
    tokens = model.vocabulary("zh").sentence(TEXT)
    (scored,) = await session.score([tuple(tokens)], [None])
    return scored.log_probs


def test_it_scores_as_the_merged_model_beside_the_plain_one(adapter: Path, tmp_path: Path) -> None:
    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(adapter.parent), str(adapter))
    tiny.save(tmp_path / "merged")
    merged.merge_and_unload().save_pretrained(tmp_path / "merged")

    async def together() -> list[Any]:
        async with open_engine(settings_of(adapter.parent, tmp_path), lambda what, share: None) as engine:
            plain, adapted, again = await asyncio.gather(*(log_probs(engine, one) for one in (None, adapter, adapter)))
            models = [await adapted_models(engine).get(one) for one in (None, adapter, adapter)]
            assert models[1] is models[2] and models[0].fingerprint != models[1].fingerprint
            vocabulary = models[0].vocabulary("zh")
            outputs = [model.scorer.forward.output(vocabulary) for model in models]
            assert outputs[0] is outputs[1], "embeddings are held once"
            works = [Scores(model.scorer, None, outputs[0], [], []) for model in models]  # type: ignore[arg-type]
            assert works[1].kind == works[2].kind != works[0].kind
            assert adapted.tolist() == again.tolist()
            return [plain, adapted]

    async def alone() -> Any:
        async with open_engine(settings_of(tmp_path / "merged", tmp_path), lambda what, share: None) as engine:
            return await log_probs(engine, None)

    plain, adapted = asyncio.run(together())
    assert adapted == pytest.approx(asyncio.run(alone()), abs=1e-4)
    assert adapted != pytest.approx(plain, abs=1e-2)


def test_an_adapter_that_cannot_be_loaded_is_tried_again(adapter: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with open_engine(settings_of(adapter.parent, tmp_path), lambda what, share: None) as engine:
            later = tmp_path / "later"
            with pytest.raises(LoadingError):
                await adapted_models(engine).get(later)
            later.symlink_to(adapter)
            assert (await adapted_models(engine).get(later)).fingerprint != engine.model.fingerprint

    asyncio.run(run())
