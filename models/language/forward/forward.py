"""Forward passes of a causal language model over the new tokens of many texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.language.device import DeviceError, out_of_memory
from models.language.forward import layer
from models.language.forward.arithmetic import Arithmetic
from models.language.forward.checkpoint import Checkpoint
from models.language.forward.context_cache import ContextCache
from models.language.forward.decoder import Decoder
from models.language.forward.masked_output import MaskedOutput, OutputLayer, capped
from models.language.forward.packing import Packing, pack
from models.language.forward.products import Products
from models.language.vocabulary import Vocabulary

MIN_FORWARD_TOKENS = 4
"""Fewest tokens in a forward; a matrix product of fewer rows takes another path and other last bits."""


class UnsupportedModelError(ValueError):
    """The architecture cannot be scored edit by edit; the message says why."""


class Forward:
    """Hidden states, keys and values of new tokens, packed without padding (:mod:`models.language.forward.packing`).

    The body is :class:`models.language.forward.decoder.Decoder` for the families that it knows, else the
    model's own through transformers' attention interface.

    Args:
        model: a transformers causal LM in evaluation mode, which is taken apart; or a
            :class:`models.language.forward.checkpoint.Checkpoint`.
        alike: forward of a model with the same embeddings, with which output layers are shared.

    Attributes:
        parameters: number of parameters.
        tokens: number of tokens that it reads and writes, ids from 0 on.
        device, dtype: where the weights are, and their precision.
        arithmetic: processor and libraries that compute.
        empty: keys and values of no token, (0, layers, 2, H, D).
        no_context: the context of a text that continues nothing.
        batch_invariant: whether a probe sentence read alone, among others and from a kept prefix
            has the same hidden states to the last bit.

    Raises:
        UnsupportedModelError: a first short sentence scores otherwise than by the model's own
            forward (recurrent or unusual attention, transformed logits). A checkpoint has none to
            compare with, and is of a family that the tests compare.
        DeviceError: the device cannot run the model.
    """

    def __init__(self, model: Any, alike: Forward | None = None) -> None:
        self.device: torch.device = model.device
        self.dtype: torch.dtype = model.dtype
        self._name = type(model).__name__
        direct = isinstance(model, Checkpoint)
        self.parameters: int = model.parameter_count if direct else sum(p.numel() for p in model.parameters())
        embeddings = model.get_output_embeddings()
        self._weight: Tensor = embeddings.weight.detach()
        self.tokens = len(self._weight)
        self._bias: Tensor | None = None if embeddings.bias is None else embeddings.bias.detach()
        config = model.config.get_text_config()
        if getattr(config, "num_attention_heads", None) is None:
            raise UnsupportedModelError(f"{self._name} has no attention heads")
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        heads = config.num_attention_heads
        kv_heads = getattr(config, "num_key_value_heads", None) or heads
        size = getattr(config, "head_dim", None) or config.hidden_size // heads
        # On a CPU attention runs in float32: there the products in bfloat16 cost more than they save.
        precision = torch.float32 if self.device.type == "cpu" else self.dtype
        self.empty = torch.zeros(0, config.num_hidden_layers, 2, kv_heads, size, dtype=precision, device=self.device)
        self.no_context = ContextCache.of(self.empty)
        self._scratch = self.empty
        self._outputs: dict[Vocabulary, MaskedOutput] = {} if alike is None else alike._outputs
        self._full_output: OutputLayer | None = None
        probe = [token % config.vocab_size for token in range(5, 17)]
        with torch.inference_mode():
            expected = None if direct else self._own_logits(model, probe)
            try:
                self._body = self._make_body(model, config)
                hidden = self._probe(probe)
            except DeviceError:
                raise
            except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and (Decoder.knows(config) or out_of_memory(error)):
                    raise self._not_run(error) from error
                raise UnsupportedModelError(
                    f"{self._name} does not run on transformers' attention interface: {error}"
                ) from error
            if expected is not None:
                self._compare(hidden, expected)

    def __call__(
        self, fed: Sequence[Sequence[int]], kept: Sequence[Tensor | None], contexts: Sequence[ContextCache]
    ) -> tuple[Tensor, Tensor]:
        """Feed the new tokens of B texts.

        Args:
            fed: new tokens of each, at least one.
            kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
            contexts: the text that each continues; equal ones stand together.

        Returns:
            Last hidden states of the new tokens in order, (N, d), and their keys and values,
            (N, layers, 2, H, D).
        """
        count = sum(map(len, fed))
        if count < MIN_FORWARD_TOKENS:
            fed, kept = [*fed, [fed[0][0]] * (MIN_FORWARD_TOKENS - count)], [*kept, None]
            contexts = [*contexts, contexts[-1]]
        packing = pack(fed, kept, contexts, self._room)
        hidden = self._body(packing)
        return hidden[:count], packing.added()[:count]

    def _room(self, slots: int) -> Tensor:
        """Scratch memory for keys and values."""
        if len(self._scratch) < slots:
            self._scratch = self.empty.new_zeros(slots, *self.empty.shape[1:])
        return self._scratch

    def made(self, vocabulary: Vocabulary) -> MaskedOutput | None:
        """The output layer over a vocabulary's tokens, if :meth:`output` has made it; from any thread."""
        return self._outputs.get(vocabulary)

    def output(self, vocabulary: Vocabulary) -> MaskedOutput:
        """The output layer over a vocabulary's tokens, made once for each vocabulary."""
        if vocabulary not in self._outputs:
            self._outputs[vocabulary] = MaskedOutput(vocabulary, self._weight, self._bias, self.dtype, self._softcap)
        return self._outputs[vocabulary]

    @property
    def full_output(self) -> OutputLayer:
        """The output layer over all tokens, made at first use."""
        if self._full_output is None:
            self._full_output = OutputLayer(self._weight, self._bias, self.dtype, self._softcap)
        return self._full_output

    def _make_body(self, model: Any, config: Any) -> Callable[[Packing], Tensor]:
        body = model.get_decoder()
        if Decoder.knows(config):
            decoder = Decoder(body)
            self.arithmetic = self._computed(decoder.products, layer.build() if decoder.compiles else None)
            return decoder
        # Imported where it is needed: transformers takes seconds.
        from models.language.forward.hf_attention import ATTENTION_NAME

        model.set_attn_implementation(ATTENTION_NAME)
        self.arithmetic = self._computed(Products("torch", self.dtype), None)

        def forward(packing: Packing) -> Tensor:
            output = body(
                input_ids=packing.tokens[None], position_ids=packing.positions[None], use_cache=False, packing=packing
            )
            return output.last_hidden_state[0]  # type: ignore[no-any-return]

        return forward

    def _computed(self, products: Products, layers: str | None) -> Arithmetic:
        kind = self.device.type
        return Arithmetic(kind, layer.instructions() if kind == "cpu" else None, layers, str(products))

    def _probe(self, tokens: list[int]) -> Tensor:
        """Last hidden states of a sentence of 12 tokens, read in two parts; sets ``batch_invariant``.

        Two sentences side by side, then the rest of one on its kept prefix: a layer that mixes
        neighbours of the packed row, or ignores kept keys and values, shows here.
        """
        nothing = self.no_context
        first, kept = self([tokens[6:], tokens[:5]], [None, None], [nothing] * 2)
        rest, _ = self([tokens[:3], tokens[5:]], [None, kept[6:]], [nothing] * 2)
        alone, _ = self([tokens], [None], [nothing])
        hidden = torch.cat((first[-5:], rest[3:]))
        self.batch_invariant = torch.equal(hidden, alone)
        return hidden

    def _own_logits(self, model: Any, tokens: list[int]) -> Tensor:
        """Logits by the model's own forward, (N, V)."""
        try:
            logits: Tensor = model(torch.tensor([tokens], device=self.device), use_cache=False).logits[0]
        except RuntimeError as error:
            raise self._not_run(error) from error
        return logits

    def _compare(self, hidden: Tensor, expected: Tensor) -> None:
        logits = capped(functional.linear(hidden, self._weight, self._bias), self._softcap)
        # Kullback-Leibler, not the largest gap: rounding alone moves unlikely tokens by 0.01 nats.
        ours, theirs = logits.float().log_softmax(-1), expected.float().log_softmax(-1)
        divergence = (theirs.exp() * (theirs - ours)).sum(-1).max().item()
        if not divergence <= (1e-5 if self.dtype == torch.float32 else 0.25):
            raise UnsupportedModelError(
                f"{self._name} scores a probe sentence otherwise than its own forward does "
                f"(Kullback-Leibler divergence {divergence:.3g} nats)"
            )

    def _not_run(self, error: RuntimeError) -> DeviceError | UnsupportedModelError:
        where = f"in {str(self.dtype).removeprefix('torch.')} on {self.device}"
        if out_of_memory(error):
            remedy = "free memory, or take a smaller model"
            return DeviceError("CHAINWRIGHT_DEVICE", f"the model has no room {where} ({error})", remedy)
        if self.device.type == "cpu" and self.dtype == torch.float32:
            return UnsupportedModelError(f"{self._name} does not run {where}: {error}")
        remedy = "set CHAINWRIGHT_DEVICE=cpu and CHAINWRIGHT_PRECISION=float32, which run whatever can be run"
        return DeviceError("CHAINWRIGHT_PRECISION", f"{self._name} does not run {where} ({error})", remedy)
