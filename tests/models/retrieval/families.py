"""Tiny random models of both families, beside their own plain forward and Hugging Face's search."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from transformers import AutoModelForSeq2SeqLM

from models.language.scoring.scorer import CausalScorer
from models.retrieval.writers.base import KeyModel
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec
from models.retrieval.writers.encoder_decoder import EncoderDecoderKeyModel
from tests.models.retrieval.dict_index import DictIndex
from tests.support.tiny_model import CONFIGS, SIZE, build

END = 1
FIRST = 5
LETTERS = "abcdefghijklmnopqrstuvwxy"
"""One token each, from FIRST on; "|" separates."""


def encode(text: str) -> list[int]:
    return [3 if letter == "|" else FIRST + LETTERS.index(letter) if letter in LETTERS else 4 for letter in text]


def decode(tokens: Sequence[int]) -> str:
    return "".join("|" if token == 3 else LETTERS[token - FIRST] for token in tokens)


@dataclass(frozen=True, eq=False)
class Family:
    """A model behind the protocol, and the same weights untouched."""

    name: str
    key_model: KeyModel
    plain: Any

    def inputs(self, question: str, written: Sequence[int] = ()) -> dict[str, torch.Tensor]:
        tokens = list(self.key_model.codec.question(question))
        if not self.plain.config.is_encoder_decoder:
            return {"input_ids": torch.tensor([[*tokens, *written]])}
        start = self.plain.config.decoder_start_token_id
        return {"input_ids": torch.tensor([tokens]), "decoder_input_ids": torch.tensor([[start, *written]])}

    def truth(self, question: str, index: DictIndex) -> dict[tuple[int, ...], tuple[float, float]]:
        """Raw and renormalised score of every key, by one plain forward over all of them whole."""
        longest = max(map(len, index.keys))
        rows = [self.inputs(question, [*key, *[0] * (longest - len(key))]) for key in index.keys]
        inputs = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
        with torch.inference_mode():
            all_logits = self.plain(**inputs, use_cache=False).logits[:, -longest - 1 :].double()
        scores = {}
        for key, logits in zip(index.keys, all_logits, strict=True):
            closed = [*key, END]
            raw = float(logits.log_softmax(-1)[range(len(closed)), closed].sum())
            renormalised = 0.0
            for at, token in enumerate(closed):
                allowed = index.next_tokens(closed[:at], END)
                renormalised += float(logits[at, allowed].log_softmax(-1)[allowed.index(token)])
            scores[key] = raw, renormalised
        return scores

    def generate(
        self, question: str, index: DictIndex, beams: int, penalty: float
    ) -> list[tuple[tuple[int, ...], float]]:
        """Hugging Face's constrained beam search."""
        inputs = self.inputs(question)
        begun = inputs["decoder_input_ids" if self.plain.config.is_encoder_decoder else "input_ids"].shape[1]

        def allowed(_: int, tokens: torch.Tensor) -> list[int]:
            written = tokens[begun:].tolist()
            return index.next_tokens(written, END) or [END]

        output = self.plain.generate(
            input_ids=inputs["input_ids"],
            attention_mask=torch.ones_like(inputs["input_ids"]),
            prefix_allowed_tokens_fn=allowed,
            num_beams=beams,
            num_return_sequences=beams,
            length_penalty=penalty,
            do_sample=False,
            max_new_tokens=max(map(len, index.keys)) + 2,
            output_scores=True,
            return_dict_in_generate=True,
        )
        found = []
        for sequence, score in zip(output.sequences, output.sequences_scores.tolist(), strict=True):
            written = sequence[begun:].tolist()
            # A beam that the index does not fill is filled by Hugging Face with -1e9 and the like.
            if score > -1e4 and END in written:
                found.append((tuple(written[: written.index(END)]), score))
        return found


def causal(name: str) -> Family:
    model = build(CONFIGS[name]())
    plain = copy.deepcopy(model)
    plain.generation_config.pad_token_id = 0
    return Family(name, CausalKeyModel(CausalScorer(model), KeyCodec.prefix_lm(encode, decode, 2, END)), plain)


def encoder_decoder(name: str) -> Family:
    shape: dict[str, Any] = {"vocab_size": SIZE, "d_model": 32, "pad_token_id": 0, "eos_token_id": END}
    config = {
        "t5": lambda: transformers.T5Config(
            **shape, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0, dropout_rate=0.0
        ),
        "mt5": lambda: transformers.MT5Config(
            **shape, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0, dropout_rate=0.0
        ),
        "bart": lambda: transformers.BartConfig(
            **shape,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            max_position_embeddings=128,
            init_std=0.25,
            dropout=0.0,
            decoder_start_token_id=END,
            bos_token_id=2,
            forced_eos_token_id=None,
        ),
    }[name]()
    torch.manual_seed(0)
    model = AutoModelForSeq2SeqLM.from_config(config, attn_implementation="eager").float().eval()
    return Family(name, EncoderDecoderKeyModel(model, KeyCodec.encoder(encode, decode, END)), model)
