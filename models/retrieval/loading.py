"""Load a model that writes keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from models.language.scorer import CausalScorer
from models.language.tokenizer import TextTokenizer
from models.retrieval.causal import CausalKeyModel
from models.retrieval.codec import KeyCodec
from models.retrieval.encoder_decoder import EncoderDecoderKeyModel


class KeyModelError(RuntimeError):
    """A model that writes keys could not be loaded; the message says how to mend it."""


def load_causal(base: Path, adapter: Path | None, dtype: torch.dtype, device: torch.device) -> CausalKeyModel:
    """A causal LM, an adapter merged into its weights if one is given.

    Args:
        base: folder with config.json, tokenizer.json and safetensors.
        adapter: folder that peft wrote.
        dtype: of the weights.
        device: where it runs.

    Raises:
        KeyModelError: one of them cannot be read, or the adapter is of another model.
        models.language.scorer.UnsupportedModelError: the architecture cannot be scored.
    """
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype, attn_implementation="sdpa")
        if adapter is not None:
            model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        codec = causal_codec(base, model.config)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise KeyModelError(f"{base} with the adapter {adapter} could not be loaded: {error}") from error
    return CausalKeyModel(CausalScorer(model.to(device).eval().requires_grad_(False)), codec)


def load_encoder_decoder(folder: Path, dtype: torch.dtype, device: torch.device) -> EncoderDecoderKeyModel:
    """An encoder-decoder model.

    Raises:
        KeyModelError: the folder cannot be read.
    """
    try:
        model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=dtype)
        tokenizer = TextTokenizer.load(folder / "tokenizer.json")
        codec = KeyCodec.encoder(tokenizer.encode, tokenizer.backend.decode, _end(model.config))
    except Exception as error:  # the tokenizers library raises bare exceptions
        raise KeyModelError(f"{folder} could not be loaded as an encoder-decoder model: {error}") from error
    return EncoderDecoderKeyModel(model.to(device).eval().requires_grad_(False), codec)


def causal_codec(base: Path, config: Any) -> KeyCodec:
    """How a causal LM writes questions and keys.

    Raises:
        ValueError: it has no end token, or no separator.
    """
    tokenizer = TextTokenizer.load(base / "tokenizer.json")
    end = _end(config.get_text_config())
    begin = config.get_text_config().bos_token_id
    return KeyCodec.prefix_lm(tokenizer.encode, tokenizer.backend.decode, end if begin is None else begin, end)


def _end(config: Any) -> int:
    end = config.eos_token_id
    if end is None:
        raise ValueError("the model's configuration has no eos_token_id, which closes keys")
    return int(end[0] if isinstance(end, list) else end)
