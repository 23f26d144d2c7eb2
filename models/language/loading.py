"""Load a causal language model by name, folder or hub id."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from models.language import default_weights
from models.language.checkpoint import Checkpoint, Configuration
from models.language.decoder import Decoder
from models.language.default_weights import Progress
from models.language.precision import Precision
from models.language.scorer import CausalScorer
from models.language.tokenizer import TextTokenizer
from models.language.vocabulary import RULES, WIDE, Rule, Vocabulary, wide_rule


class LoadingError(RuntimeError):
    """The model could not be loaded; the message says how to mend it."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model ready to score.

    Attributes:
        name: as asked for.
        scorer: the model behind its batched scorer.
        tokenizer: texts to ids.
        rules: vocabulary rules by name.
        begin: the token that begins every context.
        max_context: most tokens that a context and a sentence may have together.
        fingerprint: 16 hexadecimal digits over configuration, weights, tokenizer and precision.
    """

    name: str
    scorer: CausalScorer
    tokenizer: TextTokenizer
    rules: Mapping[str, Rule]
    begin: int
    max_context: int
    fingerprint: str
    _vocabularies: dict[str, Vocabulary] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def vocabulary(self, name: str) -> Vocabulary:
        """The vocabulary mask of this name, or with :data:`WIDE` the wide one of this name, built at first use.

        Raises:
            KeyError: there is no such rule.
        """
        with self._lock:
            if name not in self._vocabularies:
                self._vocabularies[name] = self._build(name)
            return self._vocabularies[name]

    @property
    def vocabularies(self) -> list[str]:
        """Names of the vocabulary masks."""
        return sorted(name for rule in self.rules for name in (rule, rule + WIDE))

    def _build(self, name: str) -> Vocabulary:
        base = name.removesuffix(WIDE)
        tokenizer, rule, wide = self.tokenizer, self.rules[base], base != name
        return Vocabulary.build(
            name,
            wide_rule(rule) if wide else rule,
            tokenizer.pieces,
            tokenizer.encode,
            spaced=base == "en",
            byte_pieces=tokenizer.byte_pieces if wide else None,
        )

    @property
    def device(self) -> str:
        """cpu, cuda or mps."""
        return str(self.scorer.device.type)

    @property
    def precision(self) -> str:
        """float32 or bfloat16."""
        return str(self.scorer.model.dtype).removeprefix("torch.")

    @property
    def parameters(self) -> int:
        """Number of parameters in the configuration's shape, tied ones once."""
        return int(self.scorer.parameters)


def load(
    name: str = "default",
    *,
    cache: Path,
    progress: Progress,
    device: str = "auto",
    precision: Precision = "auto",
    offline: bool = False,
    rules: Mapping[str, Rule] | None = None,
    threads: int | None = None,
) -> LoadedModel:
    """Load a model and its tokenizer side by side.

    Args:
        name: "default" (Gemma 3 270M), a folder with config.json, tokenizer.json and
            safetensors, or a hub id.
        cache: where the default model is kept.
        progress: told how far the first conversion of the default model is.
        device: auto (cuda, then mps, then cpu), or one of these.
        precision: auto (bfloat16 on cuda and on CPUs that multiply it in hardware, else float32).
        offline: never ask the hub.
        rules: vocabulary rules that replace or join :data:`models.language.vocabulary.RULES`.
        threads: of a forward on CPU, for the whole process; None leaves torch's choice.

    Raises:
        LoadingError: no such model, no safetensors, no fast tokenizer, or an unknown device.
        models.language.default_weights.ConversionError: the default model could not be made.
        models.language.scorer.UnsupportedModelError: the architecture cannot be scored.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    place = device_of(device)
    dtype = dtype_of(precision, place)
    source = source_of(name, cache, progress)
    files = {file: find_file(source, file, offline) for file in ("config.json", "tokenizer.json")}
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(_tokenizer, files["tokenizer.json"])
        model = causal_model(source, dtype, place, offline)
        tokenizer = reading.result()
    config = model.config.get_text_config()
    # Before the scorer takes it apart.
    fingerprint = fingerprint_of(files, model, dtype)
    begin = config.bos_token_id if config.bos_token_id is not None else config.eos_token_id
    return LoadedModel(
        name=default_weights.NAME if name == "default" else name,
        scorer=CausalScorer(model),
        tokenizer=tokenizer,
        rules={**RULES, **(rules or {})},
        begin=begin[0] if isinstance(begin, list) else int(begin or 0),
        max_context=int(getattr(config, "max_position_embeddings", None) or 2048),
        fingerprint=fingerprint,
    )


def causal_model(
    source: str, dtype: torch.dtype, device: torch.device, offline: bool, adapter: Path | None = None
) -> Any:
    """A causal LM straight from its files where that can be, else by transformers, which takes seconds to be imported.

    Args:
        source: folder or hub id.
        dtype: of the weights.
        device: where they go.
        offline: never ask the hub.
        adapter: folder of a peft adapter to be added to the weights.

    Raises:
        LoadingError: see :func:`read_weights`.
    """
    if Path(source).is_dir():
        checkpoint = Checkpoint.open(Path(source), device, dtype, adapter)
        if checkpoint is not None and Decoder.knows(checkpoint.config):
            return checkpoint
    return read_weights("AutoModelForCausalLM", source, dtype, device, offline, adapter)


def read_configuration(source: str, offline: bool) -> Any:
    """The configuration of a folder or hub id, as transformers has it.

    Raises:
        Exception: whatever transformers raises where it cannot be read.
    """
    file = Path(source) / "config.json"
    if file.is_file() and (configuration := Configuration(json.loads(file.read_text("utf-8")))).complete:
        return configuration
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(source, local_files_only=offline)


def source_of(name: str, cache: Path, progress: Progress) -> str:
    """The folder or hub id of a model's name; the default model is converted at first use.

    Raises:
        models.language.default_weights.ConversionError: the default model could not be made.
    """
    return str(default_weights.default_weights(cache, progress)) if name == "default" else name


def device_of(name: str) -> torch.device:
    """The device of this name, or the best one here for ``auto``.

    Raises:
        LoadingError: it is not here.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present.get(name.split(":")[0], False):
        raise LoadingError(f"device {name!r} is not here: use auto, or one of {[k for k, v in present.items() if v]}")
    return torch.device(name)


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """The precision asked for; for ``auto`` bfloat16 where the device multiplies it in hardware."""
    if precision != "auto":
        return torch.float32 if precision == "float32" else torch.bfloat16
    return torch.bfloat16 if device.type == "cuda" or _multiplies_bfloat16(device) else torch.float32


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a CPU has bfloat16 products in hardware: AVX-512 BF16 or AMX, twice as fast as float32 and more."""
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def find_file(source: str, file: str, offline: bool) -> Path:
    """A file of a folder or hub id.

    Raises:
        LoadingError: it is not there, or cannot be reached.
    """
    if (here := Path(source) / file).is_file():
        return here
    from transformers.utils import cached_file

    try:
        found = cached_file(source, file, local_files_only=offline)
    except OSError as error:
        found, reason = None, error
    else:
        reason = OSError(f"{file} is not there")
    if found is None:
        raise LoadingError(
            f"model {source!r} has no {file} that can be read ({reason}): give a folder with config.json, "
            "tokenizer.json and safetensors weights, a hub id that can be reached, or 'default'"
        ) from reason
    return Path(found)


def _tokenizer(path: Path) -> TextTokenizer:
    tokenizer = TextTokenizer.load(path)
    tokenizer.pieces  # noqa: B018 - read here, beside the weights, rather than later
    return tokenizer


def read_weights(
    kind: str, source: str, dtype: torch.dtype, device: torch.device, offline: bool, adapter: Path | None = None
) -> Any:
    """A model in evaluation mode, without gradients.

    Args:
        kind: name of a transformers ``AutoModelFor...``.
        source: folder or hub id.
        dtype: of the weights.
        device: where they go.
        offline: never ask the hub.
        adapter: folder of a peft adapter, whose products are added to the weights: as fast as without.

    Raises:
        LoadingError: no such model, no safetensors, or an adapter that does not fit.
    """
    import transformers

    transformers.utils.logging.disable_progress_bar()
    try:
        model = getattr(transformers, kind).from_pretrained(
            source, dtype=dtype, use_safetensors=True, local_files_only=offline, attn_implementation="sdpa"
        )
    except (OSError, ValueError, KeyError) as error:
        raise LoadingError(f"model {source!r} could not be loaded by {kind} from safetensors: {error}") from error
    if adapter is not None:
        model = _with_adapter(model, adapter)
    return model.to(device).eval().requires_grad_(False)


def _with_adapter(model: Any, adapter: Path) -> Any:
    # Imported where it is needed: it takes a second.
    from peft import PeftModel

    if not (adapter / "adapter_model.safetensors").is_file():
        raise LoadingError(f"adapter {str(adapter)!r} has no adapter_model.safetensors: name a folder that peft wrote")
    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except Exception as error:  # safetensors raises one of its own, and peft what its parts raise
        raise LoadingError(f"adapter {str(adapter)!r} does not fit the model: {error}") from error


def fingerprint_of(files: Mapping[str, Path], model: Any, dtype: torch.dtype) -> str:
    """Over what decides a score: configuration, tokenizer, precision, and a sample of every weight."""
    digest = hashlib.blake2b(digest_size=8)
    config = {k: v for k, v in model.config.to_dict().items() if not k.startswith("_") and k != "transformers_version"}
    digest.update(json.dumps([config, str(dtype)], sort_keys=True, default=str).encode())
    digest.update(hashlib.blake2b(files["tokenizer.json"].read_bytes()).digest())
    state: Sequence[tuple[str, torch.Tensor]] = sorted(model.state_dict().items())
    for key, tensor in state:
        flat = tensor.flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu().numpy()
        digest.update(key.encode() + sample.tobytes())
    return digest.hexdigest()
