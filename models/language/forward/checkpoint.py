"""A causal LM read straight from its folder, for the families whose forward is our own.

transformers needs some seconds to be imported and as many again to build modules whose weights
:class:`models.language.forward.decoder.Decoder` takes out at once. Here tensors are read from the mapped
safetensors files when the decoder asks for them, so none is held twice. Whatever a configuration
leaves to transformers' defaults, or asks of rotary positions beyond the plain kind, is not for
this module: :meth:`Checkpoint.open` then answers None.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from models.language.forward.low_rank import LowRank

_COMMON_ENTRIES = frozenset(
    {
        "model_type",
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "rms_norm_eps",
        "rope_parameters",
        "tie_word_embeddings",
        "max_position_embeddings",
        "bos_token_id",
        "eos_token_id",
    }
)
_LAYER_TYPE_ENTRIES = frozenset({"layer_types", "sliding_window"})
_GEMMA_ENTRIES = _LAYER_TYPE_ENTRIES | {
    "hidden_activation",
    "head_dim",
    "query_pre_attn_scalar",
    "final_logit_softcapping",
}

REQUIRED_ENTRIES: Mapping[str, frozenset[str]] = {
    "llama": _COMMON_ENTRIES | {"hidden_act", "head_dim"},
    "mistral": _COMMON_ENTRIES | {"hidden_act", "head_dim", "sliding_window"},
    "qwen2": _COMMON_ENTRIES | _LAYER_TYPE_ENTRIES | {"hidden_act", "use_sliding_window"},
    "qwen3": _COMMON_ENTRIES | _LAYER_TYPE_ENTRIES | {"hidden_act", "head_dim", "use_sliding_window"},
    "gemma2": _COMMON_ENTRIES | _GEMMA_ENTRIES | {"attn_logit_softcapping"},
    "gemma3_text": _COMMON_ENTRIES | _GEMMA_ENTRIES | {"use_bidirectional_attention"},
}
"""Entries that a configuration must have by itself, by family (``model_type``)."""

GEMMA_FAMILIES = ("gemma2", "gemma3_text")


class Configuration(SimpleNamespace):
    """A ``config.json`` whose entries are attributes, as transformers has them."""

    is_encoder_decoder = False

    def __init__(self, entries: Mapping[str, Any]) -> None:
        super().__init__(**entries)

    def get_text_config(self) -> Configuration:
        """Itself: there is no other modality."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """The entries."""
        return dict(vars(self))

    @property
    def complete(self) -> bool:
        """Whether it leaves nothing open that the forward depends on, and asks for nothing unknown."""
        entries = vars(self)
        return (
            REQUIRED_ENTRIES.get(str(entries.get("model_type")), frozenset({""})) <= entries.keys()
            and "quantization_config" not in entries
            and not entries.get("use_bidirectional_attention")
            and all(set(rope) == {"rope_theta", "rope_type"} and rope["rope_type"] == "default" for rope in self._ropes)
        )

    @property
    def _ropes(self) -> list[dict[str, Any]]:
        parameters = self.rope_parameters or {}
        kinds = [entry for entry in parameters.values() if isinstance(entry, dict)]
        return kinds or [parameters]

    @property
    def head_size(self) -> int:
        """Components of a query."""
        return int(vars(self).get("head_dim") or self.hidden_size // self.num_attention_heads)


class Rotary:
    """Cosines and sines of rotary positions: angle t theta^(-2 i / D) for component i (RoFormer, equation 15).

    Args:
        config: a complete configuration.
        device: where positions are.
    """

    def __init__(self, config: Configuration, device: torch.device) -> None:
        parameters = config.rope_parameters
        by_kind = parameters if config.model_type == "gemma3_text" else {"": parameters}
        size = config.head_size
        exponents = torch.arange(0, size, 2, dtype=torch.float) / size
        self._frequencies = {
            kind: (1.0 / (rope["rope_theta"] ** exponents)).to(device) for kind, rope in by_kind.items()
        }

    def __call__(self, x: Tensor, positions: Tensor, kind: str = "") -> tuple[Tensor, Tensor]:
        """(1, N) positions to two tensors (1, N, D) in the precision of ``x``."""
        angles = positions[..., None].float() * self._frequencies[kind]
        both = torch.cat((angles, angles), dim=-1)
        return both.cos().to(x.dtype), both.sin().to(x.dtype)


@dataclass(frozen=True, eq=False)
class Files:
    """The tensors of a folder's safetensors files.

    Attributes:
        places: the open file of each name.
        device, dtype: to which tensors are brought.
        adapter: updates some of them, or None.
    """

    places: Mapping[str, Any]
    device: torch.device
    dtype: torch.dtype
    adapter: LowRank | None = None

    @classmethod
    def open(cls, folder: Path, device: torch.device, dtype: torch.dtype, adapter: LowRank | None = None) -> Files:
        """Map ``model.safetensors``, or the parts that ``model.safetensors.index.json`` names.

        Raises:
            OSError, ValueError, KeyError, SafetensorError: they cannot be read.
        """
        index = folder / "model.safetensors.index.json"
        if index.is_file():
            parts = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        else:
            parts = ["model.safetensors"]
        places: dict[str, Any] = {}
        for part in parts:
            file: Any = safe_open(folder / part, framework="pt")
            places |= dict.fromkeys(file.keys(), file)
        return cls(places, device, dtype, adapter)

    def stored(self, name: str) -> Tensor:
        """A tensor as it is in the file, mapped."""
        tensor: Tensor = self.places[name].get_tensor(name)
        return tensor

    def read(self, name: str) -> Tensor:
        """A tensor with its update on the device, in the precision asked for."""
        stored = self.stored(name)
        whole = stored if self.adapter is None else self.adapter.updated(name, stored)
        return whole.to(self.device, self.dtype)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: tuple(file.get_slice(name).get_shape()) for name, file in self.places.items()}

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        for name in sorted(self.places):
            yield name, self.stored(name)


@dataclass(frozen=True, eq=False)
class Leaf:
    """Weights of one linear layer or norm, read from the file at each use."""

    files: Files
    name: str

    @property
    def weight(self) -> Tensor:
        """The weight."""
        return self.files.read(f"{self.name}.weight")

    @property
    def bias(self) -> Tensor | None:
        """The bias, None without."""
        name = f"{self.name}.bias"
        return self.files.read(name) if name in self.files.places else None


class Embedding:
    """Token embeddings, kept in the precision of the file; rows are brought to another as they are read.

    Attributes:
        weight: (V, d).
        bias: None; the output layer asks for it.
    """

    bias: None = None

    def __init__(self, weight: Tensor, dtype: torch.dtype, scale: float | None) -> None:
        self.weight = weight
        self._dtype = dtype
        self._scale = None if scale is None else torch.tensor(scale, device=weight.device).to(dtype)

    def __call__(self, tokens: Tensor) -> Tensor:
        """(N,) to (N, d)."""
        rows = self.weight[tokens].to(self._dtype)
        return rows if self._scale is None else rows * self._scale


class Checkpoint:
    """Weights and configuration of a model as :class:`models.language.forward.forward.Forward` takes them.

    Attributes:
        config: its configuration.
        device: where its weights go.
        dtype: their precision.
    """

    def __init__(self, config: Configuration, files: Files) -> None:
        self.config, self.device, self.dtype = config, files.device, files.dtype
        self._files = files
        scale = config.hidden_size**0.5 if config.model_type in GEMMA_FAMILIES else None
        # A row is read as it lies in the file where there is one memory; a GPU gets its own precision.
        embedding = files.stored("model.embed_tokens.weight")
        if files.device.type != "cpu":
            embedding = embedding.to(files.device, files.dtype)
        self._embedding = Embedding(embedding, files.dtype, scale)
        self._output = (
            self._embedding
            if config.tie_word_embeddings
            else Embedding(files.read("lm_head.weight"), files.dtype, None)
        )

    @classmethod
    def open(
        cls, folder: Path, device: torch.device, dtype: torch.dtype, adapter: Path | None = None
    ) -> Checkpoint | None:
        """The model of a folder; None if it is one for transformers.

        Args:
            folder: with config.json and safetensors.
            device: where the weights go.
            dtype: of the weights.
            adapter: folder of a peft adapter, whose products are added to the weights.
        """
        try:
            config = Configuration(json.loads((folder / "config.json").read_text("utf-8")))
            if not config.complete:
                return None
            updates = None if adapter is None else LowRank.open(adapter)
            files = Files.open(folder, device, dtype, updates)
            shapes = files.shapes()
            if not tensors(config).items() <= shapes.items() or (adapter is not None and updates is None):
                return None
            if updates is not None and not (_of_layers(updates) and updates.fits(shapes, _parts(config))):
                return None
            return cls(config, files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
            # Or transformers says what is wrong.
            return None

    def state_dict(self) -> dict[str, Tensor]:
        """The weights by name, as they are in the files, and an adapter's factors."""
        return dict(self._files) | ({} if self._files.adapter is None else self._files.adapter.state_dict())

    @property
    def parameter_count(self) -> int:
        """Number of parameters, tied ones once."""
        return sum(math.prod(shape) for shape in self._files.shapes().values())

    def get_output_embeddings(self) -> Embedding:
        """The output layer."""
        return self._output

    def get_decoder(self) -> Any:
        """The layers, with the attributes that transformers' modules have."""
        config = self.config
        return SimpleNamespace(
            config=config,
            embed_tokens=self._embedding,
            rotary_emb=Rotary(config, self.device),
            norm=Leaf(self._files, "model.norm"),
            layers=[self._layer(i) for i in range(config.num_hidden_layers)],
        )

    def _layer(self, i: int) -> Any:
        config, size = self.config, self.config.head_size
        root: Any = SimpleNamespace()
        for name in _of_layer(config):
            *path, leaf = name.split(".")
            node = root
            for step in path:
                if not hasattr(node, step):
                    setattr(node, step, SimpleNamespace())
                node = getattr(node, step)
            setattr(node, leaf, Leaf(self._files, f"model.layers.{i}.{name}"))
        attention = root.self_attn
        attention.head_dim = size
        attention.scaling = (config.query_pre_attn_scalar if config.model_type in GEMMA_FAMILIES else size) ** -0.5
        if "layer_types" in REQUIRED_ENTRIES[config.model_type]:
            attention.layer_type = config.layer_types[i]
            slides = attention.layer_type == "sliding_attention" and getattr(config, "use_sliding_window", True)
            attention.sliding_window = config.sliding_window if slides else None
        return root


def tensors(config: Configuration) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor that a complete configuration calls for."""
    width = int(config.hidden_size)
    found = {"model.embed_tokens.weight": (int(config.vocab_size), width), "model.norm.weight": (width,)}
    if not config.tie_word_embeddings:
        found["lm_head.weight"] = found["model.embed_tokens.weight"]
    for i in range(config.num_hidden_layers):
        for part, shape in _of_layer(config).items():
            found[f"model.layers.{i}.{part}.weight"] = shape
            if part in _biased(config):
                found[f"model.layers.{i}.{part}.bias"] = shape[:1]
    return found


def _of_layer(config: Configuration) -> dict[str, tuple[int, ...]]:
    """Parts of a layer that have weights, and the shapes of these."""
    width, size, inner = int(config.hidden_size), config.head_size, int(config.intermediate_size)
    queries, pairs = size * int(config.num_attention_heads), size * int(config.num_key_value_heads)
    norms = ["input_layernorm", "post_attention_layernorm"]
    if config.model_type in GEMMA_FAMILIES:
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(norms, (width,))
    if config.model_type in ("qwen3", "gemma3_text"):
        shapes |= {"self_attn.q_norm": (size,), "self_attn.k_norm": (size,)}
    shapes |= {"self_attn.q_proj": (queries, width), "self_attn.o_proj": (width, queries)}
    shapes |= {f"self_attn.{part}_proj": (pairs, width) for part in "kv"}
    return shapes | {"mlp.gate_proj": (inner, width), "mlp.up_proj": (inner, width), "mlp.down_proj": (width, inner)}


def _biased(config: Configuration) -> frozenset[str]:
    """Parts of a layer that have biases."""
    asks = config.model_type in ("llama", "qwen3", *GEMMA_FAMILIES) and getattr(config, "attention_bias", False)
    letters = "qkv" if config.model_type == "qwen2" else "qkvo" if asks else ""
    mlp = ("gate", "up", "down") if config.model_type == "llama" and getattr(config, "mlp_bias", False) else ()
    return frozenset([f"self_attn.{letter}_proj" for letter in letters] + [f"mlp.{part}_proj" for part in mlp])


def _parts(config: Configuration) -> list[str]:
    """Linear layers within the layers."""
    parts = [part for part in _of_layer(config) if part.endswith("_proj")]
    return [f"model.layers.{i}.{part}" for i in range(config.num_hidden_layers) for part in parts]


def _of_layers(updates: LowRank) -> bool:
    """Whether only weights of layers are updated: embeddings are read elsewhere."""
    return all(name.startswith("model.layers.") for name in updates.factors)
