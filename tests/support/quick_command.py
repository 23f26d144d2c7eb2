"""The command `chainwright` without the seconds of its imports: forked from a process that has them.

What stands in for the command hands over its arguments, folder, environment and standard streams, and ends with the
status that comes back.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

SCRIPT = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    order = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(order).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(order)
    sys.exit(int(server.makefile().readline()))
"""


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Have the command `chainwright` in a folder."""
    address = folder / "chainwright.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.quick_command", str(address)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        path = folder / "chainwright"
        path.write_text(SCRIPT.format(python=sys.executable, address=str(address)))
        path.chmod(0o755)
        yield
    finally:
        process.terminate()
        process.wait()


def serve(address: str) -> None:
    """Run commands until the process is ended."""
    from app.cli.main import cli

    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are reaped by themselves
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        while True:
            caller, _ = server.accept()
            with caller:
                if not os.fork():
                    _run(cli, caller)


def _run(cli: Callable[[], object], caller: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        size, streams, _, _ = socket.recv_fds(caller, 4, 3)
        arguments, folder, environment = json.loads(caller.makefile("rb").read(int.from_bytes(size, "big")))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["chainwright", *arguments]
        cli()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.sendall(f"{status}\n".encode())
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
