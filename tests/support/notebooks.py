"""Notebooks, run in a kernel of their own; as a command, with their outputs remade."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

PATIENCE_SECONDS = 600
"""For a cell; long enough for any machine."""


def read(path: Path) -> Any:
    """A notebook, checked against its format's schema."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def executed(path: Path) -> Any:
    """A notebook after all its cells have run, against the service at CHAINWRIGHT_URL.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    # Sockets in files: over TCP everyone on the machine could listen. Their paths may not be long.
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        config = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        client = NotebookClient(read(path), timeout=PATIENCE_SECONDS, record_timing=False, config=config)
        return client.execute(cwd=str(path.parent))


if __name__ == "__main__":
    for path in NOTEBOOKS:
        notebook = executed(path)
        # The version of Python is of no interest, and would change with every machine.
        notebook.metadata.language_info = {"name": "python"}
        nbformat.write(notebook, path)
        print(path.relative_to(ROOT))
