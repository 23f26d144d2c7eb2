"""A tiny causal LM with random weights, and a tokenizer with Chinese and English words."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, T5Config, T5ForConditionalGeneration

CHINESE = [
    *("今天", "明天", "早上", "上午", "晚上", "公园", "散步", "学校", "学生", "老师", "朋友", "喜欢", "吃饭", "工作"),
    *("问题", "时间", "我们", "他们", "城市", "美丽", "音乐", "电影", "手机"),
    *"我你他她在的了是有和去来看听说里上下很都也不人天水山花园公今明散步学生校老师朋友喜欢吃饭工作问题时间们城市美丽音乐",
    *"电影手机早晚午園學書012，、。！？",
]
ENGLISH = [
    *("the", "a", "an", "dog", "dogs", "cat", "cats", "run", "runs", "running", "ran", "park", "house", "man", "men"),
    *("walk", "walks", "walking", "in", "on", "at", "with", "and", "of", "to", "is", "was", "big", "small", "red"),
    *("happy", "eat", "eats", "food", "water", "tree", "book", "read", "reads", "look", "looks", "city", "day"),
    *("The", "An", "In", "It", "We", "They", "Dogs", "This"),
    *("I", "you", "he", "she", "it", "we", "they", "new", "york", "New", "York", "A", "P"),
]
MARKS = [".", "!", "?", ",", ";", ":"]


def save_with_bytes(folder: Path) -> Path:
    """As :func:`save`, with a token for the line break and, as the default model has them, for every byte."""
    return save(folder, ["\n", *(f"<0x{byte:02X}>" for byte in range(256))], byte_fallback=True)


def save(folder: Path, more: Sequence[str] = (), *, byte_fallback: bool = False) -> Path:
    """Write config.json, tokenizer.json and safetensors, with more pieces; the same for every call."""
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "▁"]
    pieces += [f"▁{word}" for word in ENGLISH] + CHINESE + MARKS + list(string.ascii_letters) + list(more)
    pieces = list(dict.fromkeys(pieces))
    # Longer pieces are cheaper than their letters, so words stay whole.
    scores = [(piece, -10.0 - 0.1 * (len(piece) == 1)) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=3, byte_fallback=byte_fallback))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), *([decoders.ByteFallback(), decoders.Fuse()] if byte_fallback else [])]
    )
    tokenizer.add_special_tokens(["<pad>", "<eos>", "<bos>", "<unk>"])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))

    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=1024,
        sliding_window=512,
        bos_token_id=2,
        eos_token_id=1,
        pad_token_id=0,
        initializer_range=0.2,
    )
    Gemma3ForCausalLM(config).save_pretrained(folder)
    return folder


def save_encoder_decoder(folder: Path, causal: Path) -> Path:
    """Write a T5 with random weights and the tokenizer of a model that :func:`save` wrote."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=Gemma3TextConfig.from_pretrained(causal).vocab_size,
        d_model=32,
        d_kv=8,
        d_ff=48,
        num_layers=2,
        num_heads=4,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((causal / "tokenizer.json").read_bytes())
    return folder
