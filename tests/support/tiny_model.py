"""Random transformers of two layers, and their own plain forward to compare with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from transformers import AutoModelForCausalLM

from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.kv_cache import Context, ScoredSentence
from models.language.scoring.scorer import CausalScorer
from models.language.scoring.work import Proposals
from models.language.vocabulary import Vocabulary, after_space
from samplers.language import ProposalQuery, ProposalReply

SIZE = 32
WINDOW = 4
"""Sliding window in tokens: shorter than the sentences and the contexts of the tests."""

_COMMON: dict[str, Any] = {
    "vocab_size": SIZE,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.25,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 1,
}
HEADS = _COMMON | {"head_dim": 16}
_LAYER_TYPES = ["sliding_attention", "full_attention"]
_WINDOWS: dict[str, Any] = {"layer_types": _LAYER_TYPES, "sliding_window": WINDOW}
GEMMA = HEADS | {"query_pre_attn_scalar": 8, "layer_types": _LAYER_TYPES}
NARROW = {"head_dim": 8}
"""Heads of no multiple of 16: their layers run by tensor operations, as on a GPU."""

CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**HEADS),
    "gemma3": lambda: transformers.Gemma3TextConfig(**GEMMA, sliding_window=64),
    "gemma3-window": lambda: transformers.Gemma3TextConfig(**GEMMA, sliding_window=WINDOW),
    # Caps on attention scores and on logits.
    "gemma2": lambda: transformers.Gemma2Config(
        **GEMMA, sliding_window=WINDOW, attn_logit_softcapping=2.0, final_logit_softcapping=3.0
    ),
    "qwen3": lambda: transformers.Qwen3Config(**HEADS),
    "llama-narrow": lambda: transformers.LlamaConfig(**HEADS | NARROW),
    "gemma3-narrow": lambda: transformers.Gemma3TextConfig(**GEMMA | NARROW, sliding_window=WINDOW),
    "gemma2-narrow": lambda: transformers.Gemma2Config(
        **GEMMA | NARROW, sliding_window=WINDOW, attn_logit_softcapping=2.0, final_logit_softcapping=3.0
    ),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=SIZE,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        initializer_range=0.25,
        bos_token_id=2,
        eos_token_id=1,
    ),
}
"""Architectures that the scorer serves."""

EVERY_FAMILY: dict[str, Callable[[], Any]] = CONFIGS | {
    "mistral": lambda: transformers.MistralConfig(**HEADS, sliding_window=WINDOW),
    "qwen2": lambda: transformers.Qwen2Config(
        **{key: value for key, value in HEADS.items() if key != "head_dim"}, use_sliding_window=True, **_WINDOWS
    ),
    "qwen3-window": lambda: transformers.Qwen3Config(**HEADS, use_sliding_window=True, **_WINDOWS),
    "llama-biased": lambda: transformers.LlamaConfig(**HEADS, attention_bias=True, mlp_bias=True),
    "gemma3-untied": lambda: transformers.Gemma3TextConfig(**GEMMA, tie_word_embeddings=False),
}
"""The same, every family of the decoder among them."""

UNSUPPORTED: dict[str, Callable[[], Any]] = {
    # No attention at all.
    "mamba": lambda: transformers.MambaConfig(vocab_size=SIZE, hidden_size=32, num_hidden_layers=2, state_size=4),
    "rwkv": lambda: transformers.RwkvConfig(vocab_size=SIZE, hidden_size=32, num_hidden_layers=2),
    # Attention of their own, with biases by distance.
    "bloom": lambda: transformers.BloomConfig(
        vocab_size=SIZE, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.25
    ),
    "mpt": lambda: transformers.MptConfig(vocab_size=SIZE, d_model=32, n_heads=4, n_layers=2),
    # A layer beside attention that mixes neighbouring tokens of the packed row.
    "lfm2": lambda: transformers.Lfm2Config(**_COMMON, layer_types=["conv", "full_attention"]),
    "qwen3-next": lambda: transformers.Qwen3NextConfig(
        **HEADS,
        layer_types=["linear_attention", "full_attention"],
        linear_num_value_heads=2,
        linear_num_key_heads=2,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        num_experts=2,
        num_experts_per_tok=1,
        moe_intermediate_size=16,
        shared_expert_intermediate_size=16,
    ),
    # Logits scaled after the head.
    "cohere": lambda: transformers.CohereConfig(**_COMMON, logit_scale=0.25),
}
"""Architectures that it must refuse."""


def build(config: Any, attention: str | None = "eager") -> Any:
    """A random model in float32, ready to evaluate; ``attention`` None leaves the choice to the model."""
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).float().eval()


def vocabulary(ids: Sequence[int], interior: int, ends: int, name: str = "tiny") -> Vocabulary:
    """A mask by hand: interior ids, then end ids, then spelling ids."""
    pieces = [f" w{token}" for token in range(SIZE)]
    return Vocabulary(name, after_space, pieces, np.array(ids), interior, ends, lambda text: [])


@dataclass(frozen=True, eq=False)
class Plain:
    """A model's own forward, one whole sequence at a time, renormalised over a mask."""

    model: Any
    ids: npt.NDArray[np.int64]

    def rows(self, tokens: Sequence[int]) -> npt.NDArray[np.float64]:
        """Log-probabilities of the next token after each prefix, over local ids, (len(tokens), V)."""
        with torch.inference_mode():
            ids = torch.tensor([list(tokens)], device=self.model.device)
            logits = self.model(input_ids=ids, use_cache=False).logits[0].cpu()
        rows: npt.NDArray[np.float64] = logits[:, torch.from_numpy(self.ids)].double().log_softmax(-1).numpy()
        return rows

    def log_probs(self, context: Sequence[int], sentence: Sequence[int]) -> npt.NDArray[np.float64]:
        """log p(x_i | context, x_<i), shape (n,)."""
        rows = self.rows([*context, *sentence])
        local = {int(token): k for k, token in enumerate(self.ids)}
        return np.array([rows[len(context) - 1 + i, local[token]] for i, token in enumerate(sentence)])


@dataclass(eq=False)
class Engine:
    """The scorer as the samplers see a language model.

    Attributes:
        sentence_tokens: tokens of the sentences asked for.
    """

    scorer: CausalScorer
    output: MaskedOutput
    context: Context
    sentence_tokens: int = 0

    async def score(
        self, sentences: Sequence[tuple[int, ...]], bases: Sequence[ScoredSentence | None]
    ) -> list[ScoredSentence]:
        """See :meth:`samplers.language.LanguageModel.score`."""
        self.sentence_tokens += sum(map(len, sentences))
        return self.scorer.score(self.context, self.output, sentences, bases)

    async def propose(self, scored: Sequence[ScoredSentence], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        """See :meth:`samplers.language.LanguageModel.propose`."""
        work = Proposals(self.output, scored, queries)
        return work.run([work])[0]


def engine(config: Any, mask: Vocabulary, **options: Any) -> tuple[CausalScorer, Plain]:
    """A scorer and, of the same weights, a model that it has never touched."""
    model = build(config)
    plain = Plain(copy.deepcopy(model), mask.ids)
    return CausalScorer(model, **options), plain
