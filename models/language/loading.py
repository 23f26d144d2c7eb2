"""Load a causal language model from a folder, or by a name that a source of models has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from models.language import default_weights, model_files
from models.language.adapters.registry import shipped
from models.language.chat import read_template
from models.language.default_weights import Progress
from models.language.device import device_of, try_out
from models.language.forward.checkpoint import Checkpoint, Configuration
from models.language.forward.decoder import Decoder
from models.language.forward.products import products
from models.language.model_files import CONFIG_FILE, TOKENIZER_FILE, public_name
from models.language.model_files import LoadingError as LoadingError
from models.language.precision import Precision
from models.language.pretrained import read_weights
from models.language.scoring.model import LoadedModel
from models.language.scoring.scorer import CausalScorer
from models.language.sources import HUB, REMEDY, folder_of
from models.language.tokenizer import TextTokenizer
from models.language.vocabulary import Mask


def load(
    name: str = "default",
    *,
    cache: Path,
    progress: Progress,
    device: str = "auto",
    precision: Precision = "auto",
    offline: bool = False,
    model_source: str = HUB,
    masks: Iterable[Mask] = (),
    threads: int | None = None,
) -> LoadedModel:
    """Load a model and its tokenizer side by side.

    Args:
        name: "default" (Gemma 3 270M), a folder with config.json, tokenizer.json and
            safetensors, or a name that the source has.
        cache: where the default model is kept.
        progress: of the first conversion of the default model.
        device: auto (cuda, then mps, then cpu), or one of these.
        precision: auto (bfloat16 on cuda and on CPUs that multiply it in hardware, else float32).
        offline: ask no source of models.
        model_source: where models are had by name; see :func:`models.language.sources.folder_of`.
        masks: vocabulary masks; with none it spells no sentence.
        threads: of a forward on CPU, for the whole process; None leaves torch's choice.

    Raises:
        LoadingError: no such model, no safetensors, or no fast tokenizer.
        models.language.default_weights.ConversionError: the default model could not be made.
        models.language.forward.forward.UnsupportedModelError: the architecture cannot be scored.
        models.language.device.DeviceError: the device cannot run it.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    place = device_of(device)
    dtype = dtype_of(precision, place)
    source = source_of(name, cache, progress, model_source, offline)
    files = find_files(source)
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(_tokenizer, files[TOKENIZER_FILE])
        model = causal_model(source, dtype, place)
        with model_files.naming("model", source):
            tokenizer = reading.result()
            config = model.config.get_text_config()
            model_files.check_tokenizer(tokenizer.backend, getattr(config, "vocab_size", None))
    # Before the scorer takes it apart.
    fingerprint = fingerprint_of(files, model, dtype)
    begin = config.bos_token_id if config.bos_token_id is not None else config.eos_token_id
    return LoadedModel(
        name=default_weights.DEFAULT_MODEL if name == "default" else public_name(name),
        scorer=CausalScorer(model),
        tokenizer=tokenizer,
        masks={mask.name: mask for mask in masks},
        begin=begin[0] if isinstance(begin, list) else int(begin or 0),
        max_context=int(getattr(config, "max_position_embeddings", None) or 2048),
        fingerprint=fingerprint,
        chat=read_template(lambda file: find_file(source, file), tokenizer),
        adapters=shipped() if name == "default" else {},
    )


def causal_model(source: str, dtype: torch.dtype, device: torch.device, adapter: Path | None = None) -> Any:
    """A causal LM straight from its files where that can be, else by transformers, which takes seconds to be imported.

    Args:
        source: folder.
        dtype: of the weights.
        device: where they go.
        adapter: folder of a peft adapter to be added to the weights.

    Raises:
        LoadingError: see :func:`read_weights`.
    """
    checkpoint = Checkpoint.open(Path(source), device, dtype, adapter)
    if checkpoint is not None and Decoder.knows(checkpoint.config):
        return checkpoint
    return read_weights("AutoModelForCausalLM", source, dtype, device, adapter)


def verify(source: str, kind: str = "AutoModelForCausalLM", adapter: Path | None = None) -> None:
    """Refuse what loading would refuse, with the same words, without holding the weights.

    Args:
        source: folder.
        kind: name of a transformers ``AutoModelFor...``.
        adapter: folder of a peft adapter.

    Raises:
        LoadingError: the model could not be loaded.
    """
    files, nowhere = find_files(source), torch.device("meta")
    with model_files.naming("model", source):
        tokenizer = model_files.read_tokenizer(files[TOKENIZER_FILE])
    if kind == "AutoModelForCausalLM":
        model = causal_model(source, torch.float32, nowhere, adapter)
    else:
        model = read_weights(kind, source, torch.float32, nowhere, adapter)
    with model_files.naming("model", source):
        model_files.check_tokenizer(tokenizer, getattr(model.config.get_text_config(), "vocab_size", None))


def read_configuration(source: str) -> Any:
    """The configuration in a folder, as transformers has it.

    Raises:
        Exception: of transformers, where it cannot be read.
    """
    configuration = Configuration(json.loads((Path(source) / CONFIG_FILE).read_text("utf-8")))
    if configuration.complete:
        return configuration
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(source, local_files_only=True)


def source_of(name: str, cache: Path, progress: Progress, model_source: str = HUB, offline: bool = False) -> str:
    """The folder of a model's name; the default model is converted at first use.

    Raises:
        LoadingError: see :func:`models.language.sources.folder_of`.
        models.language.default_weights.ConversionError: the default model could not be made.
    """
    if name == "default":
        return str(default_weights.default_weights(cache, progress))
    return str(folder_of(name, model_source, offline=offline))


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """The precision asked for; for ``auto`` bfloat16 where the device multiplies it in hardware.

    Raises:
        DeviceError: the device does not compute in it.
    """
    if precision == "auto":
        dtype = torch.bfloat16 if device.type == "cuda" or _multiplies_bfloat16(device) else torch.float32
    else:
        dtype = torch.float32 if precision == "float32" else torch.bfloat16
    try_out(device, dtype)
    return dtype


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a CPU has bfloat16 products in hardware: AVX-512 BF16 or AMX, twice as fast as float32 and more."""
    has = device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    # oneDNN may be held to less than the processor has (ONEDNN_MAX_CPU_ISA).
    return has and products(device, torch.bfloat16).dtype == torch.bfloat16


def find_files(source: str) -> dict[str, Path]:
    """Configuration and tokenizer in a folder; its weights are looked at too.

    Raises:
        LoadingError: they are not there, or cannot be read.
    """
    files = {file: find_file(source, file) for file in (CONFIG_FILE, TOKENIZER_FILE)}
    with model_files.naming("model", source):
        model_files.read_config(files[CONFIG_FILE])
        model_files.check_weights(Path(source))
    return files


def find_file(source: str, file: str) -> Path:
    """A file in a folder.

    Raises:
        LoadingError: it is not there.
    """
    if (here := Path(source) / file).is_file():
        return here
    raise LoadingError(f"model {public_name(source)!r}: {file} is not there: {REMEDY}")


def _tokenizer(path: Path) -> TextTokenizer:
    tokenizer = TextTokenizer(model_files.read_tokenizer(path))
    tokenizer.pieces  # noqa: B018 - read here, beside the weights, rather than later
    return tokenizer


def fingerprint_of(files: Mapping[str, Path], model: Any, dtype: torch.dtype) -> str:
    """Over what decides a score: configuration, tokenizer, precision, and a sample of every weight."""
    digest = hashlib.blake2b(digest_size=8)
    config = {k: v for k, v in model.config.to_dict().items() if not k.startswith("_") and k != "transformers_version"}
    digest.update(json.dumps([config, str(dtype)], sort_keys=True, default=str).encode())
    digest.update(hashlib.blake2b(files[TOKENIZER_FILE].read_bytes()).digest())
    state: Sequence[tuple[str, torch.Tensor]] = sorted(model.state_dict().items())
    for key, tensor in state:
        flat = tensor.flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu().numpy()
        digest.update(key.encode() + sample.tobytes())
    return digest.hexdigest()
