"""Damaged model folders are refused with a line that names what is wrong; nothing is filled with random numbers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from models.language.forward.checkpoint import Checkpoint
from models.language.loading import LoadingError, causal_model, load, verify
from models.language.model_files import public_name
from models.language.pretrained import read_weights
from models.retrieval.loading import KeyTokenizer, load_key_model, verify_key_model
from tests.models.language.forward.test_checkpoint import DIRECT
from tests.support import tiny_service as tiny
from tests.support.tiny_model import CONFIGS, SIZE

CPU = torch.device("cpu")
SEQ2SEQ = "AutoModelForSeq2SeqLM"
_T5: dict[str, Any] = {"vocab_size": SIZE, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 1, "num_heads": 4}
_T5 |= {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
_BART: dict[str, Any] = {"vocab_size": SIZE, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
_BART |= {"encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}

CAUSAL: dict[str, Callable[[], Any]] = {
    **{name: DIRECT[name] for name in ("llama-biased", "mistral", "qwen2", "qwen3", "gemma2", "gemma3-untied")},
    "gemma3": CONFIGS["gemma3"],
    "gpt2": CONFIGS["gpt2"],
    "opt": lambda: transformers.OPTConfig(
        vocab_size=SIZE, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=1, num_attention_heads=4
    ),
    "gpt-neox": lambda: transformers.GPTNeoXConfig(
        vocab_size=SIZE, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4
    ),
}
ENCODER_DECODER: dict[str, Callable[[], Any]] = {
    "t5": lambda: transformers.T5Config(**_T5),
    "mt5": lambda: transformers.MT5Config(**_T5),
    "bart": lambda: transformers.BartConfig(**_BART),
}
RENAMED = {"embed_out.weight": "lm_head.weight"}
"""Names in a file that transformers has others for."""
DISPENSABLE = frozenset({"final_logits_bias"})
"""Tensors that are zeros in a family's every model, and that older files lack."""


def saved(family: str, folder: Path) -> tuple[str, Path]:
    """A random model in a folder, and the class that reads it."""
    torch.manual_seed(0)
    if family in CAUSAL:
        AutoModelForCausalLM.from_config(CAUSAL[family]()).save_pretrained(folder)
        return "AutoModelForCausalLM", folder
    AutoModelForSeq2SeqLM.from_config(ENCODER_DECODER[family]()).save_pretrained(folder)
    return SEQ2SEQ, folder


def change(folder: Path, name: str, shape: bool = False) -> None:
    """Drop a tensor, or cut a row off."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensor = tensors.pop(name)
    save_file(tensors | ({name: tensor[:-1].contiguous()} if shape else {}), path, {"format": "pt"})


def configure(folder: Path, **entries: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def read(kind: str, folder: Path) -> Any:
    if kind == SEQ2SEQ:
        return read_weights(kind, str(folder), torch.float32, CPU)
    return causal_model(str(folder), torch.float32, CPU)


@pytest.mark.parametrize("shape", [False, True], ids=["missing", "shape"])
@pytest.mark.parametrize("family", [*CAUSAL, *ENCODER_DECODER])
def test_no_tensor_can_be_missing_or_of_another_shape(family: str, shape: bool, tmp_path: Path) -> None:
    kind, whole = saved(family, tmp_path / "whole")
    assert read(kind, whole) is not None
    names = load_file(whole / "model.safetensors").keys() - DISPENSABLE
    assert len(names) > 10
    for number, name in enumerate(sorted(names)):
        damaged = shutil.copytree(whole, tmp_path / str(number))
        change(damaged, name, shape)
        with pytest.raises(LoadingError) as refused:
            read(kind, damaged)
        told = str(refused.value)
        assert (
            RENAMED.get(name, name) in told
            and "model.safetensors" in told
            and "\n" not in told
            and str(tmp_path) not in told
        )


@pytest.mark.parametrize("family", [name for name in [*CAUSAL, *ENCODER_DECODER] if name != "gpt-neox"])
def test_an_output_layer_that_is_not_tied_must_be_there(family: str, tmp_path: Path) -> None:
    kind, folder = saved(family, tmp_path)
    tensors = load_file(folder / "model.safetensors")
    if "lm_head.weight" in tensors:
        change(folder, "lm_head.weight")
    configure(folder, tie_word_embeddings=False)
    with pytest.raises(LoadingError, match=r"lacks lm_head\.weight.*tie_word_embeddings"):
        read(kind, folder)


def test_what_a_family_does_without_is_not_asked_for(tmp_path: Path) -> None:
    kind, folder = saved("bart", tmp_path)
    tokens = torch.arange(5, 12)[None]
    before = read(kind, folder)(input_ids=tokens, decoder_input_ids=tokens).logits
    change(folder, "final_logits_bias")
    assert torch.equal(read(kind, folder)(input_ids=tokens, decoder_input_ids=tokens).logits, before)


def test_tensors_of_other_names_are_still_for_transformers(tmp_path: Path) -> None:
    """A model saved without its output layer has no prefix; transformers adds it."""
    _, folder = saved("gemma3", tmp_path)
    path = folder / "model.safetensors"
    bare = {name.removeprefix("model."): tensor for name, tensor in load_file(path).items()}
    save_file(bare, path, {"format": "pt"})
    assert Checkpoint.open(folder, CPU, torch.float32) is None
    model = causal_model(str(folder), torch.float32, CPU)
    assert torch.equal(model.get_input_embeddings().weight, bare["embed_tokens.weight"])


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("good"), ["\n"])


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
DAMAGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "pointer": (lambda f: (f / "model.safetensors").write_bytes(POINTER), ["model.safetensors", "git lfs pull"]),
    "tokenizer pointer": (lambda f: (f / "tokenizer.json").write_bytes(POINTER), ["tokenizer.json", "git lfs pull"]),
    "config pointer": (lambda f: (f / "config.json").write_bytes(POINTER), ["config.json", "git lfs pull"]),
    "empty": (lambda f: (f / "model.safetensors").write_bytes(b""), ["model.safetensors is empty"]),
    "head": (lambda f: cut(f, 20), ["model.safetensors cannot be read", "copy it again"]),
    "tail": (lambda f: cut(f, -20), ["model.safetensors cannot be read", "copy it again"]),
    "a page": (lambda f: (f / "model.safetensors").write_text("<html>"), ["model.safetensors cannot be read"]),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), ["model.safetensors is not there", "safetensors"]),
    "pickled": (
        lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
        ["only pytorch_model.bin", "save_pretrained()"],
    ),
    "gguf": (lambda f: (f / "model.safetensors").rename(f / "m.gguf"), ["only m.gguf", "GGUF"]),
    "shard": (lambda f: split(f).unlink(), ["model.safetensors.index.json", "model-00002-of-00002.safetensors"]),
    "shard pointer": (lambda f: split(f).write_bytes(POINTER), ["model-00002-of-00002.safetensors", "git lfs pull"]),
    "index": (
        lambda f: (split(f), (f / "model.safetensors.index.json").write_text("{}")),
        ["model.safetensors.index.json has no weight_map"],
    ),
    "no config": (lambda f: (f / "config.json").unlink(), ["config.json is not there"]),
    "config": (lambda f: (f / "config.json").write_text("{"), ["config.json is not JSON"]),
    "config list": (lambda f: (f / "config.json").write_text("[]"), ["config.json is not a JSON object"]),
    "config latin-1": (lambda f: (f / "config.json").write_bytes(b'{"a": "\xe9"}'), ["config.json is not JSON"]),
    "no type": (lambda f: (f / "config.json").write_text("{}"), ["config.json has no model_type"]),
    "unknown type": (lambda f: configure(f, model_type="wonder"), ["wonder"]),
    "nonsense": (lambda f: configure(f, num_attention_heads="many"), ["num_attention_heads"]),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), ["tokenizer.json is not there"]),
    "tokenizer": (lambda f: (f / "tokenizer.json").write_text("no"), ["tokenizer.json", "copy it again"]),
    "tokenizer object": (lambda f: (f / "tokenizer.json").write_text("{}"), ["tokenizer.json", "copy it again"]),
    "another's tokenizer": (lambda f: more_tokens(f), ["tokenizer.json", "vocab_size"]),
    "untied": (lambda f: configure(f, tie_word_embeddings=False), ["lm_head.weight", "model.safetensors"]),
    "rows": (lambda f: configure(f, vocab_size=99), ["model.embed_tokens.weight", "[99, 32]"]),
}


def more_tokens(folder: Path) -> None:
    path = folder / "tokenizer.json"
    entries = json.loads(path.read_text())
    entries["model"]["vocab"] += [[f"more{number}", -20.0] for number in range(3)]
    path.write_text(json.dumps(entries))


def cut(folder: Path, to: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:to])


def split(folder: Path) -> Path:
    """Make two parts of the weights; the path of the second."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {name: f"model-0000{1 + number % 2}-of-00002.safetensors" for number, name in enumerate(sorted(tensors))}
    for part in set(places.values()):
        own = {name: tensor for name, tensor in tensors.items() if places[name] == part}
        save_file(own, folder / part, {"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder / "model-00002-of-00002.safetensors"


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(LoadingError) as refused:
        work()
    return str(refused.value)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_named_with_the_same_words_everywhere(damage: str, good: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(good, tmp_path / "mine")
    harm, words = DAMAGES[damage]
    harm(folder)
    told = refusal(lambda: load(str(folder), cache=tmp_path, progress=lambda what, share: None, offline=True))
    assert all(word in told for word in words) and "\n" not in told and str(tmp_path) not in told
    assert told.startswith("model 'mine'")
    assert refusal(lambda: verify(str(folder))) == told

    def keys() -> object:
        tokenizer = KeyTokenizer.load(str(folder))
        return load_key_model(
            str(folder), None, tokenizer, cache=tmp_path, progress=lambda what, share: None, offline=True
        )

    written = refusal(keys)
    assert words[0] in written and str(tmp_path) not in written and "\n" not in written
    assert refusal(lambda: verify_key_model(str(folder), None)) == written


def test_whole_folders_are_read(good: Path, tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        verify(str(folder))
        found = load(str(folder), cache=tmp_path, progress=lambda what, share: None, offline=True)
        assert found.name == folder.name
        return found.fingerprint

    whole = fingerprint(good)
    parts = shutil.copytree(good, tmp_path / "parts")
    split(parts)
    assert fingerprint(parts) == whole
    # An index that was left behind does no harm.
    left = shutil.copytree(good, tmp_path / "left")
    (left / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "away.safetensors"}}))
    assert load(str(left), cache=tmp_path, progress=lambda what, share: None, offline=True).parameters > 0


@pytest.mark.parametrize("options", [{}, {"use_dora": True}, {"target_modules": ".*mlp.*_proj"}], ids=str)
@pytest.mark.parametrize("lost", ["lora_A", "lora_B", "lora_"])
def test_an_adapter_that_lacks_a_factor_is_refused(lost: str, options: dict[str, Any], tmp_path: Path) -> None:
    _, base = saved("gemma3", tmp_path / "base")
    torch.manual_seed(0)
    config = LoraConfig(**{"r": 2, "target_modules": ["q_proj", "down_proj"], "init_lora_weights": False} | options)
    folder = tmp_path / "adapter"
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    verify_adapter = lambda: causal_model(str(base), torch.float32, CPU, folder)  # noqa: E731
    verify_adapter()
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    kept = {name: tensor for name, tensor in tensors.items() if not ("layers.1.mlp.down" in name and lost in name)}
    assert len(kept) < len(tensors)
    save_file(kept, path, {"format": "pt"})
    told = refusal(verify_adapter)
    assert "adapter 'adapter'" in told and "down_proj" in told and str(tmp_path) not in told


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        (lambda f: (f / "adapter_model.safetensors").write_bytes(POINTER), "git lfs pull"),
        (lambda f: (f / "adapter_model.safetensors").unlink(), "adapter_model.safetensors is not there"),
        (lambda f: (f / "adapter_config.json").unlink(), "adapter_config.json is not there"),
        (lambda f: (f / "adapter_config.json").write_text("["), "adapter_config.json is not JSON"),
        (lambda f: (f / "adapter_config.json").write_text("{}"), "does not fit the model"),
    ],
)
def test_damaged_files_of_an_adapter(harm: Callable[[Path], object], word: str, tmp_path: Path) -> None:
    kind, base = saved("t5", tmp_path / "base")
    folder = tmp_path / "adapter"
    get_peft_model(AutoModelForSeq2SeqLM.from_pretrained(base), LoraConfig(r=2, target_modules=["q"])).save_pretrained(
        folder
    )
    harm(folder)
    told = refusal(lambda: read_weights(kind, str(base), torch.float32, CPU, folder))
    assert word in told and "adapter 'adapter'" in told and str(tmp_path) not in told and "\n" not in told


def test_names_for_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert public_name(str(tmp_path / "mine")) == public_name(f"{tmp_path}/mine/") == public_name(".") == "mine"
    assert public_name("../mine") == public_name("/nowhere/mine") == "mine"
    assert public_name("Qwen/Qwen3-0.6B") == "Qwen/Qwen3-0.6B" and public_name("default") == "default"
