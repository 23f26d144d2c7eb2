"""The loaded language model: its scorer, tokenizer and vocabularies."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from models.language.chat import ChatTemplate
from models.language.scoring.scorer import CausalScorer
from models.language.tokenizer import TextTokenizer
from models.language.vocabulary import WIDE, Mask, Vocabulary


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model ready to score.

    Attributes:
        name: as asked for; of a folder its last component.
        scorer: the model behind its batched scorer.
        tokenizer: texts to ids.
        masks: vocabulary masks by name.
        begin: the token that begins every context.
        max_context: most tokens that a context and a sentence may have together.
        fingerprint: 16 hexadecimal digits over configuration, weights, tokenizer and precision.
        chat: its chat template, if it follows instructions.
        adapters: folders of those that come with it, by what they are for.
    """

    name: str
    scorer: CausalScorer
    tokenizer: TextTokenizer
    masks: Mapping[str, Mask]
    begin: int
    max_context: int
    fingerprint: str
    chat: ChatTemplate | None = None
    adapters: Mapping[str, Path] = field(default_factory=dict)
    _vocabularies: dict[str, Vocabulary] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def vocabulary(self, name: str) -> Vocabulary:
        """The vocabulary mask of this name, or with :data:`WIDE` the wide one of this name, built at first use.

        Raises:
            KeyError: there is no such mask.
        """
        with self._lock:
            if name not in self._vocabularies:
                self._vocabularies[name] = self._build(name)
            return self._vocabularies[name]

    @property
    def vocabularies(self) -> list[str]:
        """Names of the vocabulary masks."""
        return sorted(name for mask in self.masks for name in (mask, mask + WIDE))

    def adapted(self, weights: Any, fingerprint: str) -> LoadedModel:
        """The same model with other weights for the same layers, of which embeddings are none.

        It shares tokenizer, vocabularies and output layers.

        Args:
            weights: as :class:`CausalScorer` takes them.
            fingerprint: over them.
        """
        return replace(self, scorer=CausalScorer(weights, alike=self.scorer), fingerprint=fingerprint)

    def _build(self, name: str) -> Vocabulary:
        base = name.removesuffix(WIDE)
        tokenizer, mask, wide = self.tokenizer, self.masks[base], base != name
        return Vocabulary.build(
            mask.widened() if wide else mask,
            tokenizer.pieces,
            tokenizer.encode,
            byte_pieces=tokenizer.byte_pieces if wide else None,
        )

    @property
    def device(self) -> str:
        """cpu, cuda or mps."""
        return str(self.scorer.forward.device.type)

    @property
    def precision(self) -> str:
        """float32 or bfloat16."""
        return str(self.scorer.forward.dtype).removeprefix("torch.")

    @property
    def parameters(self) -> int:
        """Number of parameters in the configuration's shape, tied ones once."""
        return self.scorer.forward.parameters
