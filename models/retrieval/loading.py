"""Loading of a model that writes keys: a causal LM, perhaps with an adapter, or an encoder-decoder model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer

from models.language.default_weights import DEFAULT_MODEL, Progress
from models.language.device import device_of
from models.language.loading import (
    causal_model,
    dtype_of,
    find_file,
    find_files,
    fingerprint_of,
    read_configuration,
    source_of,
    verify,
)
from models.language.model_files import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    LoadingError,
    check_tokenizer,
    in_one_line,
    naming,
    public_name,
    read_config,
    read_tokenizer,
)
from models.language.precision import Precision
from models.language.pretrained import read_weights
from models.language.scoring.scorer import CausalScorer
from models.language.sources import HUB, folder_of
from models.language.tokenizer import read_as_text
from models.retrieval.examples import Example, ExampleError, read_examples
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.tokenizing import batch_encoder
from models.retrieval.ranking.logit import FEATURES as RANKING_FEATURES
from models.retrieval.ranking.logit import Ranking, RankingError
from models.retrieval.ranking.noisy_channel import FEATURES as CHANNEL_FEATURES
from models.retrieval.ranking.noisy_channel import NoisyChannel
from models.retrieval.search.confidence import Confidence, ConfidenceError
from models.retrieval.search.confidence_features import FEATURES as CONFIDENCE_FEATURES
from models.retrieval.writers.base import KeyModel
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec
from models.retrieval.writers.question_model import QuestionModel

Family = Literal["causal", "encoder-decoder"]

CONFIDENCE, RANKING, CHANNEL, QUESTIONS = "confidence.json", "ranking.json", "channel.json", "questions.jsonl"
"""In the folder of an adapter."""

LONGEST_QUESTION = 512
"""Tokens that a question may have at most."""


@dataclass(frozen=True, eq=False)
class KeyTokenizer:
    """The tokens of a model without its weights, to build and change indexes.

    Texts are encoded without special tokens: one that spells ``<eos>`` is encoded letter by letter.
    """

    codec: KeyCodec
    backend: Tokenizer
    family: Family
    longest: int  # most tokens of a question
    fingerprint: str  # 16 hexadecimal digits over the tokenizer and the separator

    @classmethod
    def load(cls, source: str) -> KeyTokenizer:
        """Read a model's configuration and tokenizer from a folder.

        Raises:
            LoadingError: they cannot be read, or nothing can separate the parts of a key.
        """
        name = public_name(source)
        path = find_file(source, TOKENIZER_FILE)
        with naming("model", source):
            read_config(find_file(source, CONFIG_FILE))
            backend = read_tokenizer(path)
        try:
            config = read_configuration(source)
            text = config.get_text_config()
            end = _first(text.eos_token_id)
        except Exception as error:  # transformers raises errors of many kinds
            raise LoadingError(
                f"model {name!r}: config.json cannot be used ({in_one_line(error, source)}): copy it again"
            ) from error
        if end is None:
            raise LoadingError(f"model {name!r} has no end token, which closes a key: set eos_token_id in config.json")

        def decode(tokens: Sequence[int]) -> str:
            return str(backend.decode(list(tokens)))

        def separating(word: str) -> list[int]:
            # An unknown word may be one token too, but not one that spells it.
            tokens = list(backend.encode(word, add_special_tokens=False).ids)
            return tokens if backend.decode(tokens, skip_special_tokens=False).strip(" ") == word else []

        try:
            if config.is_encoder_decoder:
                codec = KeyCodec.encoder(separating, decode, end)
            else:
                begin = _first(text.bos_token_id)
                codec = KeyCodec.prefix_lm(separating, decode, end if begin is None else begin, end)
        except ValueError as error:
            raise LoadingError(f"model {name!r}: {error}") from error
        read_as_text(backend)
        codec = replace(codec, encode=lambda word: list(backend.encode(word, add_special_tokens=False).ids))
        digest = hashlib.blake2b(path.read_bytes(), digest_size=8)
        digest.update(codec.separator.to_bytes(4, "little"))
        room = int(getattr(text, "max_position_embeddings", None) or 2 * LONGEST_QUESTION) // 2
        family: Family = "encoder-decoder" if config.is_encoder_decoder else "causal"
        return cls(codec, backend, family, min(LONGEST_QUESTION, room), digest.hexdigest())

    def key_format(self, *, triples: bool) -> KeyFormat:
        """The format of keys of subject, predicate and meaning, or of one part."""
        return KeyFormat.triples((self.codec.separator,)) if triples else KeyFormat()

    def encode(self, texts: list[str]) -> Sequence[Sequence[int]]:
        """Tokens of each text; none where they hold the end token, so that no key can hold it."""
        end = self.codec.end
        return [() if end in tokens else tokens for tokens in batch_encoder(self.backend)(texts)]

    def pieces(self, tokens: Sequence[int]) -> list[str]:
        """The text of each token by itself; as the vocabulary spells it where that is none, as of half a character."""
        texts = self.decode([[token] for token in tokens])
        return [
            text if text and "\ufffd" not in text else self.backend.id_to_token(token) or ""
            for token, text in zip(tokens, texts, strict=True)
        ]

    def decode(self, tokens: list[list[int]]) -> list[str]:
        """The text of each token sequence, as the codec has it."""
        return [str(text) for text in self.backend.decode_batch(tokens)]


@dataclass(frozen=True, eq=False)
class LoadedKeyModel:
    """A model ready to write keys."""

    name: str  # as asked for; of a folder its last component
    model: KeyModel
    tokenizer: KeyTokenizer
    adapter: Path | None  # its folder
    device: str  # cpu, cuda or mps
    precision: str  # float32 or bfloat16
    parameters: int  # how many
    fingerprint: str  # 16 hexadecimal digits over configuration, weights, tokenizer and precision
    confidence: Confidence | None  # fitted for this adapter, as are the next two
    ranking: Ranking | None
    questions: QuestionModel | None = None  # of p(question | key), if the adapter comes with example questions
    noisy_channel: NoisyChannel | None = None  # fitted for these

    @property
    def language_model(self) -> CausalScorer | None:
        """The weights without the adapter where they are loaded, else those that write keys if they are causal."""
        if self.questions is not None:
            return self.questions.scorer
        return self.model.scorer if isinstance(self.model, CausalKeyModel) else None


def load_key_model(
    name: str,
    adapter: str | Path | None,
    tokenizer: KeyTokenizer,
    *,
    cache: Path,
    progress: Progress,
    device: str = "auto",
    precision: Precision = "auto",
    offline: bool = False,
    model_source: str = HUB,
    threads: int | None = None,
    bare: CausalScorer | None = None,
) -> LoadedKeyModel:
    """Load a model of either family; slow.

    Args:
        name: ``default``, a folder, or a name that the source has.
        adapter: a peft adapter, added to the weights: likewise a folder or a name.
        tokenizer: of the same model.
        cache, progress, device, precision, offline, model_source, threads: see :func:`models.language.loading.load`.
        bare: the same weights without an adapter, if they are loaded already.

    Raises:
        LoadingError: see :func:`models.language.loading.load`.
        ConfidenceError: the adapter's confidence cannot be used.
        RankingError: nor its ranking, channel or example questions.
        ConversionError, UnsupportedModelError, DeviceError: see :func:`models.language.loading.load`.
    """
    if adapter is not None:
        adapter = folder_of(str(adapter), model_source, offline=offline, what="adapter")
    with _naming(adapter):
        confidence, ranking, examples = _fitted(adapter)
    place = device_of(device)
    dtype = dtype_of(precision, place)
    source = source_of(name, cache, progress, model_source, offline)
    files = find_files(source)
    if threads is not None:
        torch.set_num_threads(threads)
    model: KeyModel
    questions = None
    if tokenizer.family == "causal":
        weights = causal_model(source, dtype, place, adapter)
        fingerprint = fingerprint_of(files, weights, dtype)
        scorer = CausalScorer(weights)
        parameters = scorer.forward.parameters
        model = CausalKeyModel(scorer, tokenizer.codec, tokenizer.longest)
        if examples:
            bare = bare or CausalScorer(causal_model(source, dtype, place))
            questions = QuestionModel(bare, tokenizer.codec.encode, tokenizer.codec.before[0], examples)
    else:
        # Imported where it is needed: transformers takes seconds.
        from models.retrieval.writers.encoder_decoder import EncoderDecoderKeyModel

        weights = read_weights("AutoModelForSeq2SeqLM", source, dtype, place, adapter)
        fingerprint = fingerprint_of(files, weights, dtype)
        parameters = sum(p.numel() for p in weights.parameters())
        model = EncoderDecoderKeyModel(weights, tokenizer.codec, tokenizer.longest)
    noisy_channel, path = None, _beside(adapter, CHANNEL)
    if path is not None and questions is not None:
        with _naming(adapter):
            noisy_channel = NoisyChannel(questions, Ranking.load(path, CHANNEL_FEATURES))
    with naming("model", source):
        check_tokenizer(tokenizer.backend, getattr(weights.config.get_text_config(), "vocab_size", None))
    return LoadedKeyModel(
        name=DEFAULT_MODEL if name == "default" else public_name(name),
        model=model,
        tokenizer=tokenizer,
        adapter=adapter,
        device=str(place.type),
        precision=str(dtype).removeprefix("torch."),
        parameters=parameters,
        fingerprint=fingerprint,
        confidence=confidence,
        ranking=ranking,
        questions=questions,
        noisy_channel=noisy_channel,
    )


def verify_key_model(source: str, adapter: Path | None) -> None:
    """Refuse what :func:`load_key_model` would refuse of files, with the same words, without holding the weights.

    Raises:
        LoadingError, ConfidenceError, RankingError: see there.
    """
    with _naming(adapter):
        _fitted(adapter)
    family = KeyTokenizer.load(source).family
    kind = "AutoModelForCausalLM" if family == "causal" else "AutoModelForSeq2SeqLM"
    verify(source, kind, adapter)


@contextmanager
def _naming(adapter: Path | None) -> Iterator[None]:
    """Let errors of the files beside an adapter's weights name the adapter, not its place."""
    try:
        yield
    except (ConfidenceError, RankingError) as error:
        raise type(error)(f"adapter {public_name(str(adapter))!r}: {in_one_line(error, str(adapter))}") from error


def _fitted(adapter: Path | None) -> tuple[Confidence | None, Ranking | None, list[Example]]:
    """Confidence, ranking and example questions, if they lie beside an adapter's weights."""
    confidence, ranking, examples = (_beside(adapter, name) for name in (CONFIDENCE, RANKING, QUESTIONS))
    try:
        return (
            None if confidence is None else Confidence.load(confidence, CONFIDENCE_FEATURES),
            None if ranking is None else Ranking.load(ranking, RANKING_FEATURES),
            [] if examples is None else read_examples(examples),
        )
    except ExampleError as error:
        raise RankingError(f"{error}: mend or remove the example questions of the adapter") from error


def _beside(adapter: Path | None, name: str) -> Path | None:
    return adapter / name if adapter is not None and (adapter / name).is_file() else None


def _first(token: int | list[int] | None) -> int | None:
    return token[0] if isinstance(token, list) else token
