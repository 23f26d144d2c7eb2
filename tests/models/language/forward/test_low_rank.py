"""Adapters read without peft add what peft adds, or are left to peft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from models.language.forward.checkpoint import Checkpoint
from models.language.forward.low_rank import LowRank
from models.language.loading import LoadingError, causal_model
from tests.support.tiny_model import CONFIGS, build

CPU = torch.device("cpu")
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    build(CONFIGS["gemma3"]()).save_pretrained(folder)
    return folder


def adapter(base: Path, folder: Path, **options: Any) -> Path:
    """An adapter that changes the weights."""
    chosen = {"r": 4, "lora_alpha": 6, "target_modules": TARGETS, "init_lora_weights": False} | options
    model = AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(1)
    get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **chosen)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_weights_are_those_that_peft_makes(base: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    folder = adapter(base, tmp_path / "adapter", target_modules=TARGETS[:3])
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    base = tmp_path / "rounded"
    plain.save_pretrained(base)
    merged = PeftModel.from_pretrained(plain, str(folder)).merge_and_unload()
    ours = Checkpoint.open(base, CPU, dtype, folder)
    bare = Checkpoint.open(base, CPU, dtype)
    assert ours is not None and bare is not None
    for i, layer in enumerate(merged.get_decoder().layers):
        read, unchanged = ours.get_decoder().layers[i].self_attn, bare.get_decoder().layers[i].self_attn
        for part in TARGETS[:3]:
            assert torch.equal(getattr(read, part).weight, getattr(layer.self_attn, part).weight)
            assert not torch.equal(getattr(read, part).weight, getattr(unchanged, part).weight)
        assert torch.equal(read.o_proj.weight, layer.self_attn.o_proj.weight)


def test_an_adapter_changes_what_the_fingerprint_is_made_of(base: Path, tmp_path: Path) -> None:
    ours = Checkpoint.open(base, CPU, torch.float32, adapter(base, tmp_path))
    bare = Checkpoint.open(base, CPU, torch.float32)
    assert ours is not None and bare is not None
    assert ours.state_dict().keys() > bare.state_dict().keys()
    assert ours.parameter_count == bare.parameter_count


@pytest.mark.parametrize(
    "options",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"rank_pattern": {"q_proj": 2}},
        {"modules_to_save": ["lm_head"]},
        {"target_modules": ["q_proj", "embed_tokens"]},
    ],
    ids=str,
)
def test_other_adapters_are_left_to_peft(base: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    folder = adapter(base, tmp_path, **options)
    assert Checkpoint.open(base, CPU, torch.float32, folder) is None
    model = causal_model(str(base), torch.float32, CPU, folder)
    bare = AutoModelForCausalLM.from_pretrained(base)
    part = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(model.get_parameter(part), bare.get_parameter(part))


def test_an_adapter_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    folder = adapter(base, tmp_path)
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if name.endswith("lora_A.weight"))
    save_file(tensors | {name: torch.ones(4, 7)}, path)
    assert LowRank.open(folder) is not None and Checkpoint.open(base, CPU, torch.float32, folder) is None
    with pytest.raises(LoadingError, match="does not fit the model"):
        causal_model(str(base), torch.float32, CPU, folder)


@pytest.mark.parametrize("damage", ["half", "config", "weights"])
def test_a_damaged_adapter_is_left_to_peft(base: Path, tmp_path: Path, damage: str) -> None:
    folder = adapter(base, tmp_path)
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    if damage == "half":
        tensors = load_file(weights)
        del tensors[next(name for name in tensors if name.endswith("lora_B.weight"))]
        save_file(tensors, weights)
    elif damage == "config":
        entries = json.loads(config.read_text())
        del entries["r"]
        config.write_text(json.dumps(entries))
    else:
        weights.write_bytes(weights.read_bytes()[:50])
    assert LowRank.open(folder) is None
