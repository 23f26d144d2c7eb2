"""The forward of common decoder families over a packed batch, with transformers' weights.

RMS norms, rotary positions, grouped-query attention and a gated MLP: Llama, Mistral, Qwen 2 and 3,
Gemma 2 and 3. On tens of tokens the time goes into launching small operations as much as into
matrix products, so this forward launches fewer of them, and on a CPU hardly any
(:mod:`models.language.forward.layer`; figures: benchmarks/step.json).

Residual stream, norms and attention are in float32 on a CPU whatever the weights' precision is.
The value of a row does not depend on the rows beside it, bit for bit where the matrix products
have that property (:attr:`models.language.scoring.scorer.CausalScorer.batch_invariant`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.language.forward.checkpoint import GEMMA_FAMILIES, REQUIRED_ENTRIES
from models.language.forward.layer import Pass, Rotations, fits
from models.language.forward.packing import Packing
from models.language.forward.products import Activation, products
from models.language.forward.projection import Projection

FAMILIES = frozenset(REQUIRED_ENTRIES)
"""``model_type`` of the configurations whose layers this module knows."""

_ACTIVATIONS: dict[str, Activation] = {"gelu_pytorch_tanh": "gelu_tanh", "silu": "silu"}


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """One decoder layer.

    Attributes:
        before_attention, before_mlp: norm scales, (d,).
        after_attention, after_mlp: norm scales, None where the family has no norm there.
        qkv: queries, keys and values at once, the two halves of each rotary pair side by side.
        normed: whether queries and keys are normed by head.
        head_scale: factor on each query and key, the attention scale included, ((G + 1) H, D).
        out: of attention.
        gate, up, down: of the MLP.
        rotary: which rotations.
        window: sliding window in tokens, or None.
    """

    before_attention: Tensor
    after_attention: Tensor | None
    before_mlp: Tensor
    after_mlp: Tensor | None
    qkv: Projection
    normed: bool
    head_scale: Tensor
    out: Projection
    gate: Projection
    up: Projection
    down: Projection
    rotary: str
    window: int | None


class Decoder:
    """A body that turns packed tokens into last hidden states.

    Takes the layers out of ``body`` one by one as it lays them out, so that no layer is held twice.

    Args:
        body: the decoder of a transformers causal LM for which :meth:`knows` is true, or of a
            :class:`models.language.forward.checkpoint.Checkpoint`.

    Attributes:
        compiles: whether norms and attention run compiled (:mod:`models.language.forward.layer`).
        products: the way to multiply matrices.
    """

    def __init__(self, body: Any) -> None:
        config = body.config
        self._embed = body.embed_tokens
        self._rotary = body.rotary_emb
        self._dtype = body.layers[0].mlp.up_proj.weight.dtype
        self._heads: int = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        self._groups: int = config.num_attention_heads // self._heads
        self._eps = float(config.rms_norm_eps)
        self._activation = _ACTIVATIONS[_activation(config)]
        self._softcap: float | None = config.attn_logit_softcapping if config.model_type == "gemma2" else None
        # Their norm scales are 1 + weight.
        self._gemma = config.model_type in GEMMA_FAMILIES
        self._norm = self._scale(body.norm)
        self._layers: list[_Layer] = []
        for i in range(config.num_hidden_layers):
            self._layers.append(self._lay_out(body.layers[i], config))
            body.layers[i] = nn.Identity()
        sizes = (len(self._norm), self._layers[0].head_scale.shape[1])
        self.compiles = fits(self._dtype, self._norm.device, *sizes)
        self.products = products(self._norm.device, self._dtype)

    @staticmethod
    def knows(config: Any) -> bool:
        """Whether this module has the family of a configuration."""
        return config.model_type in FAMILIES and _activation(config) in _ACTIVATIONS

    def __call__(self, packing: Packing) -> Tensor:
        """Last hidden states of the packed tokens, (N, d), in the weights' precision."""
        x = self._embed(packing.tokens).float()
        return self._compiled(x, packing) if self.compiles else self._composed(x, packing)

    def _compiled(self, x: Tensor, packing: Packing) -> Tensor:
        """By two compiled calls for all of a layer but its matrix products."""
        kinds = {layer.rotary for layer in self._layers}
        rotations = {kind: Rotations.of(*self._angles(x, packing.positions, kind)) for kind in kinds}
        run = Pass(packing, x, self._groups, self._eps, self._dtype)
        scales = [*(layer.before_attention for layer in self._layers), self._norm]
        inner = run.add(None, None, scales[0])
        for i, layer in enumerate(self._layers):
            heads = layer.qkv(inner)
            mixed = run.attend(
                i, heads, layer.head_scale, layer.normed, rotations[layer.rotary], layer.window, self._softcap
            )
            inner = run.add(layer.out(mixed), layer.after_attention, layer.before_mlp)
            grown = layer.down(layer.up(inner, factor=layer.gate(inner, self._activation)))
            inner = run.add(grown, layer.after_mlp, scales[i + 1])
        return inner

    def _composed(self, x: Tensor, packing: Packing) -> Tensor:
        """By tensor operations, on any device."""
        count, size = len(x), self._layers[0].head_scale.shape[1]
        queries = self._groups * self._heads
        rotations = {
            kind: self._complex_rotations(x, packing.positions, kind)
            for kind in {layer.rotary for layer in self._layers}
        }
        for i, layer in enumerate(self._layers):
            heads = layer.qkv(self._normed(x, layer.before_attention).to(self._dtype)).view(count, -1, size)
            pairs = heads[:, : queries + self._heads].float()
            if layer.normed:
                pairs = functional.rms_norm(pairs, (size,), None, self._eps)
            pairs = pairs * layer.head_scale
            turned = torch.view_as_complex(pairs.view(count, -1, size // 2, 2)) * rotations[layer.rotary]
            query_key = torch.view_as_real(turned).view(count, -1, size)
            mixed = packing.attend(
                i,
                query_key[:, :queries].view(count, self._heads, self._groups, size),
                query_key[:, queries:],
                heads[:, queries + self._heads :],
                layer.window,
                self._softcap,
            )
            attended = layer.out(mixed.to(self._dtype)).float()
            x = x + self._normed(attended, layer.after_attention)
            inner = self._normed(x, layer.before_mlp).to(self._dtype)
            grown = layer.down(layer.up(inner, factor=layer.gate(inner, self._activation))).float()
            x = x + self._normed(grown, layer.after_mlp)
        return self._normed(x, self._norm).to(self._dtype)

    def _normed(self, x: Tensor, scale: Tensor | None) -> Tensor:
        return x if scale is None else functional.rms_norm(x, scale.shape, scale, self._eps)

    def _complex_rotations(self, x: Tensor, positions: Tensor, kind: str) -> Tensor:
        """Rotations of the tokens as complex numbers, (N, 1, D / 2)."""
        return torch.complex(*self._angles(x, positions, kind))[:, None]

    def _angles(self, x: Tensor, positions: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the tokens' rotations, (N, D / 2) each."""
        arguments = (kind,) if kind else ()
        cos, sin = (part[0, :, : part.shape[-1] // 2] for part in self._rotary(x, positions[None], *arguments))
        return cos, sin

    def _scale(self, norm: Any) -> Tensor:
        weight: Tensor = norm.weight.detach().float()
        return 1 + weight if self._gemma else weight

    def _lay_out(self, layer: Any, config: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        size = attention.head_dim
        queries = self._groups * self._heads
        qkv = (attention.q_proj, attention.k_proj, attention.v_proj)
        # Halves to pairs (i, i + D/2) -> (2i, 2i + 1), for queries and keys alike, so that one
        # complex product rotates them; dot products do not see the order.
        halves = torch.arange(size, device=self._norm.device).view(2, -1).T.flatten()
        turned = queries + self._heads
        values = torch.arange(turned * size, (turned + self._heads) * size, device=halves.device)
        order = torch.cat([*(halves + head * size for head in range(turned)), values])
        weight = torch.cat([part.weight.detach() for part in qkv])[order]
        bias = None if attention.q_proj.bias is None else torch.cat([part.bias.detach() for part in qkv])[order]
        normed = hasattr(attention, "q_norm")
        ones = self._norm.new_ones(size)
        scale = torch.stack(
            [(self._scale(attention.q_norm) if normed else ones) * attention.scaling] * queries
            + [self._scale(attention.k_norm) if normed else ones] * self._heads
        )[:, halves]
        four = hasattr(layer, "pre_feedforward_layernorm")
        after_attention = self._scale(layer.post_attention_layernorm)
        return _Layer(
            before_attention=self._scale(layer.input_layernorm),
            after_attention=after_attention if four else None,
            before_mlp=self._scale(layer.pre_feedforward_layernorm) if four else after_attention,
            after_mlp=self._scale(layer.post_feedforward_layernorm) if four else None,
            qkv=Projection(weight, bias),
            normed=normed,
            head_scale=scale.contiguous(),
            out=_projection(attention.o_proj),
            gate=_projection(mlp.gate_proj),
            up=_projection(mlp.up_proj),
            down=_projection(mlp.down_proj),
            rotary=attention.layer_type if config.model_type == "gemma3_text" else "",
            window=getattr(config if config.model_type == "mistral" else attention, "sliding_window", None),
        )


def _activation(config: Any) -> str:
    return str(getattr(config, "hidden_activation", None) or getattr(config, "hidden_act", ""))


def _projection(linear: Any) -> Projection:
    return Projection(linear.weight.detach(), None if linear.bias is None else linear.bias.detach())
