"""The adapters that come with the default model, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PARAPHRASES = "paraphrases"
"""Says a sentence in other words."""


def shipped() -> Mapping[str, Path]:
    """The folders that are there; each may be left out of an installation."""
    folders = {name: Path(__file__).parent / name for name in (PARAPHRASES,)}
    return {name: folder for name, folder in folders.items() if (folder / "adapter_config.json").is_file()}
