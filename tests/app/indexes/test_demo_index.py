"""The index `demo` is built when first asked for, once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.indexes import demo
from app.indexes.library import Library
from models.retrieval.loading import KeyTokenizer

OPEN = """
import sys
from pathlib import Path
from app.indexes.library import Library
from models.retrieval.loading import KeyTokenizer
print("ready", flush=True)
library = Library(Path(sys.argv[1]), lambda: KeyTokenizer.load(sys.argv[2]))
print(library.open("demo").manifest.id)
"""


@pytest.fixture(scope="module")
def library(key_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return opened(tmp_path_factory.mktemp("demo"), key_model_folder)


def opened(root: Path, model: Path) -> Library:
    return Library(root, lambda: KeyTokenizer.load(str(model)))


def test_it_holds_facts_in_both_languages(library: Library) -> None:
    view = library.open("demo").view
    assert len(view) > 1000 and library.names() == ["demo"]


def test_it_is_built_once(library: Library, key_model_folder: Path) -> None:
    first = library.open("demo")
    assert library.open("demo") is first
    assert opened(library.root, key_model_folder).open("demo").manifest.id == first.manifest.id


def test_another_babel_gives_another_index(
    library: Library, key_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = library.open("demo").manifest.id
    monkeypatch.setattr(demo, "version", lambda package: "0.0")
    after = opened(library.root, key_model_folder).open("demo").manifest.id
    assert after != before
    assert opened(library.root, key_model_folder).open("demo").manifest.id == after
    assert library.open("demo").manifest.id == after


def test_a_damaged_one_is_built_anew(library: Library, key_model_folder: Path) -> None:
    folder = library.open("demo").folder
    (folder / "values.bin").write_bytes(b"")
    assert len(opened(library.root, key_model_folder).open("demo").view) > 1000


def test_it_comes_back_when_deleted(library: Library) -> None:
    library.open("demo")
    library.delete("demo")
    assert len(library.open("demo").view) > 1000


def test_a_process_and_threads_that_start_at_once_have_one_index(key_model_folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "indexes"
    command = [sys.executable, "-c", OPEN, str(root), str(key_model_folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    found: list[str] = []
    library = opened(root, key_model_folder)
    threads = [threading.Thread(target=lambda: found.append(library.open("demo").manifest.id)) for _ in range(3)]
    assert process.stdout is not None
    process.stdout.readline()  # all is imported there
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    found.append(output.strip())
    assert len(found) == 4 and len(set(found)) == 1
