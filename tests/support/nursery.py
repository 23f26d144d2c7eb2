"""Process with everything imported that forks others on demand, so that these start within a second.

Reads one JSON object a line: {"call": "module:function", "env": {...}, "log": path, "netns": path or null};
answers each with the pid of a process that runs ``function()``. Ends its children when its input ends.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

CLONE_NEWNET = 0x40000000


def main() -> None:
    """Fork until the input ends."""
    importlib.import_module("app.cli.main")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by themselves
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: list[int] = []
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            _child(order)
        children.append(pid)
        print(pid, flush=True)
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _child(order: dict[str, Any]) -> None:
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        null = os.open(os.devnull, os.O_RDONLY)
        for number, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(number, target)
        os.environ.update(order["env"])
        if order["netns"]:
            with open(order["netns"]) as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
        signal.signal(signal.SIGUSR1, lambda number, frame: _print_tasks())
        module, _, function = order["call"].partition(":")
        getattr(importlib.import_module(module), function)()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _print_tasks() -> None:
    """Print the stack of every asyncio task."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


def worker() -> None:
    """Run `chainwright worker`."""
    from app.cli.worker import worker as run
    from app.settings.settings import Settings

    run(Settings())


def service() -> None:
    """Run `chainwright serve`."""
    from app.cli.serve import serve
    from app.settings.settings import Settings

    serve(Settings())


if __name__ == "__main__":
    main()
