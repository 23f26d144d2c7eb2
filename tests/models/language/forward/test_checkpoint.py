"""Models read straight from their files score as transformers' do, or are left to transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from models.language.forward.checkpoint import Checkpoint, Configuration, tensors
from models.language.forward.decoder import FAMILIES
from models.language.scoring.scorer import CausalScorer
from tests.support.tiny_model import CONFIGS, EVERY_FAMILY, build, vocabulary

CPU = torch.device("cpu")
DIRECT: dict[str, Callable[[], Any]] = {name: make for name, make in EVERY_FAMILY.items() if name != "gpt2"}
MASK = vocabulary(list(range(5, 25)), 15, 5)
SENTENCES = [(9, 12, 15, 20), (6, 7, 8, 9, 10, 11, 12, 13, 22)]


def saved(config: Any, folder: Path, **options: Any) -> Path:
    model = build(config)
    # Scales and biases begin as ones and zeros, which would hide a mistake.
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            torch.manual_seed(len(name))
            parameter.data.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(folder, **options)
    return folder


def scores(model: Any) -> list[np.ndarray[Any, Any]]:
    scorer = CausalScorer(model)
    output = scorer.forward.output(MASK)
    context = scorer.context([2, 17, 30, 3, 8], output)
    return [one.log_probs for one in scorer.score(context, output, SENTENCES, [None, None])]


def read(folder: Path, dtype: torch.dtype) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def change(folder: Path, **entries: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def test_every_family_of_the_decoder_is_tried() -> None:
    assert {make().model_type for make in DIRECT.values()} == FAMILIES


@pytest.mark.parametrize("family", sorted(DIRECT))
def test_it_asks_for_the_tensors_that_transformers_makes(family: str, tmp_path: Path) -> None:
    folder = saved(DIRECT[family](), tmp_path)
    model = read(folder, torch.float32)
    copies = model.all_tied_weights_keys.keys()
    made = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name not in copies}
    assert tensors(Configuration(json.loads((folder / "config.json").read_text()))) == made


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("family", sorted(DIRECT))
def test_it_scores_as_transformers_weights_do_to_the_last_bit(family: str, dtype: torch.dtype, tmp_path: Path) -> None:
    folder = saved(DIRECT[family](), tmp_path)
    checkpoint = Checkpoint.open(folder, CPU, dtype)
    assert checkpoint is not None
    assert checkpoint.parameter_count == sum(p.numel() for p in read(folder, dtype).parameters())
    for ours, theirs in zip(scores(checkpoint), scores(read(folder, dtype)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_in_half_precision_is_read_in_single(tmp_path: Path) -> None:
    folder = saved(CONFIGS["gemma3"](), tmp_path)
    read(folder, torch.bfloat16).save_pretrained(folder)
    checkpoint = Checkpoint.open(folder, CPU, torch.float32)
    for ours, theirs in zip(scores(checkpoint), scores(read(folder, torch.float32)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_in_several_files(tmp_path: Path) -> None:
    folder = saved(CONFIGS["llama"](), tmp_path, max_shard_size="8KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    checkpoint = Checkpoint.open(folder, CPU, torch.float32)
    for ours, theirs in zip(scores(checkpoint), scores(read(folder, torch.float32)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "entries",
    [
        {"rope_parameters": {"rope_theta": 1e4, "rope_type": "linear", "factor": 2.0}},
        {"rope_parameters": {"rope_theta": 1e4, "rope_type": "default", "partial_rotary_factor": 0.5}},
        {"rope_parameters": None},
        {"quantization_config": {"quant_method": "awq"}},
        {"model_type": "mamba"},
    ],
    ids=str,
)
def test_what_it_does_not_know_is_for_transformers(entries: dict[str, Any], tmp_path: Path) -> None:
    folder = saved(CONFIGS["llama"](), tmp_path)
    assert Checkpoint.open(folder, CPU, torch.float32) is not None
    change(folder, **entries)
    assert Checkpoint.open(folder, CPU, torch.float32) is None


def test_attention_in_both_directions_is_for_transformers(tmp_path: Path) -> None:
    folder = saved(CONFIGS["gemma3"](), tmp_path)
    change(folder, use_bidirectional_attention=True)
    assert Checkpoint.open(folder, CPU, torch.float32) is None


@pytest.mark.parametrize("missing", ["rope_parameters", "num_key_value_heads", "eos_token_id"])
def test_what_a_configuration_leaves_open_is_for_transformers(missing: str, tmp_path: Path) -> None:
    folder = saved(CONFIGS["llama"](), tmp_path)
    entries = json.loads((folder / "config.json").read_text())
    del entries[missing]
    (folder / "config.json").write_text(json.dumps(entries))
    assert Checkpoint.open(folder, CPU, torch.float32) is None


def test_missing_or_damaged_weights_are_for_transformers(tmp_path: Path) -> None:
    folder = saved(CONFIGS["llama"](), tmp_path)
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path)
    assert Checkpoint.open(folder, CPU, torch.float32) is None
    path.write_bytes(path.read_bytes()[:100])
    assert Checkpoint.open(folder, CPU, torch.float32) is None
    path.unlink()
    assert Checkpoint.open(folder, CPU, torch.float32) is None
