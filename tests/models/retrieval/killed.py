"""Kill a process at every file operation in turn: python -m tests.models.retrieval.killed WHAT FOLDER.

Prints how often it was killed, and after how many of these the index was as before and as after the
change; fails with a trace if it ever was anything else.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.retrieval.index.building import build
from models.retrieval.index.catalogue import Catalogue
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import RetrievalIndexError
from models.retrieval.index.sources import Records
from tests.models.retrieval.reference import PLAIN, assert_same, encode, key_of, model_of

OLD = [(f"old {number}", "v") for number in range(30)]
NEW = [(f"new {number}", "v") for number in range(20)]
CHANGE = key_of(("old 3",), PLAIN)


def in_place(root: Path) -> None:
    build(root / "index", [Records(NEW)], PLAIN, encode, tokenizer="t")


def replaced(root: Path) -> None:
    Catalogue(root).build("name", [Records(NEW)], PLAIN, encode, tokenizer="t")


def merged(root: Path) -> None:
    Catalogue(root).merge("name")


def updated(root: Path) -> None:
    Catalogue(root).open("name").update(removed=[(CHANGE, None)])


def prepare(root: Path, what: str) -> None:
    shutil.rmtree(root, ignore_errors=True)
    if what != "build":
        Catalogue(root).build("name", [Records(OLD)], PLAIN, encode, tokenizer="t")
    if what == "merge":
        updated(root)


def dies_at(moment: int, action: Callable[[Path], None], root: Path) -> bool:
    """Run the action in a child that kills itself at its file operation of this number; whether it did."""
    child = os.fork()
    if not child:
        seen = 0

        def count(*_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"):
                count()
            if event == "open" and isinstance(arguments[0], str | os.PathLike) and _writes(arguments):
                count()

        write = os.write

        def half(handle: int, text: Any) -> int:
            # A write may be cut anywhere: the first half is on its way when the process dies.
            written = write(handle, text[: len(text) // 2 + 1])
            count()
            return written

        os.write, os.fsync = half, count  # type: ignore[assignment]
        sys.addaudithook(hook)
        action(root)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _writes(arguments: tuple[Any, ...]) -> bool:
    path, _, flags = arguments
    return str(path).startswith(sys.argv[2]) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def happened(root: Path, what: str) -> bool:
    """Whether the change took effect; anything between is an error."""
    if what == "build":
        if not (root / "index").exists():
            return False
        assert_same(CompiledIndex.open(root / "index", full=True), model_of(NEW, PLAIN))
        return True
    live = Catalogue(root).open("name")
    CompiledIndex.open(live.folder, full=True)
    after = model_of(NEW if what == "replace" else OLD, PLAIN)
    if what != "replace":
        after.pop(CHANGE)
    if what == "merge":
        assert_same(live.view, after)
        return live.log_bytes == 0
    try:
        assert_same(live.view, after)
    except AssertionError:
        assert_same(live.view, model_of(OLD, PLAIN))
        return False
    return True


def main(what: str, root: Path) -> None:
    # What a killed process has written is there without; only a disk that loses power would need it.
    os.fsync = lambda handle: None  # type: ignore[assignment]
    action = {"build": in_place, "replace": replaced, "merge": merged, "update": updated}[what]
    counts = {"killed": 0, "before": 0, "after": 0}
    moment, alive = 0, False
    while not alive:
        moment += 1
        prepare(root, what)
        alive = not dies_at(moment, action, root)
        counts["killed"] += not alive
        done = happened(root, what)
        counts["after" if done else "before"] += 1
        try:
            action(root)
        except RetrievalIndexError:
            assert what == "build" and done, "only what exists cannot be built again"
        assert happened(root, what)
        left = [path.name for path in root.rglob("*") if ".building-" in path.name]
        assert not left or (what == "build" and done), "the next build sweeps what was left"
    print(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) / "root")
