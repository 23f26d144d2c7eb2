"""What a start takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_start_does_not_import_transformers(model_folder: Path, key_model_folder: Path) -> None:
    program = f"""
import sys
from pathlib import Path
import app.cli.main
from models.language.loading import load
from models.retrieval.loading import KeyTokenizer
load({str(model_folder)!r}, cache=Path("nowhere"), progress=lambda what, share: None)
KeyTokenizer.load({str(key_model_folder)!r})
print("transformers" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    assert done.stdout.split()[-1] == "False"
