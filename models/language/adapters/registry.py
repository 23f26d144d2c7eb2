"""The adapters that come with the default model, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PARAPHRASES: Mapping[str, str] = {"en": "paraphrases_en", "zh": "paraphrases_zh"}
"""Those that say a sentence in other words, by the code of its language."""


def shipped() -> Mapping[str, Path]:
    """The folders that are there; each may be left out of an installation."""
    folders = {name: Path(__file__).parent / name for name in PARAPHRASES.values()}
    return {name: folder for name, folder in folders.items() if (folder / "adapter_config.json").is_file()}
