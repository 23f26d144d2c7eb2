"""Settings as people and platforms write them: read, or refused in one line on standard error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.main import cli
from app.settings.settings import Limits, Settings
from app.settings.variables import KNOWN, masked, unknown_variables
from tests.support.variables import logging_as_before

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A working directory without a .env file, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("CHAINWRIGHT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHAINWRIGHT_STATE_DIR", str(tmp_path / "state"))
    with logging_as_before():
        yield


def keys() -> Result:
    """A command that reads settings and needs no more."""
    return CliRunner().invoke(cli, ["keys", "list"])


def refused(result: Result) -> str:
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PORT", "tcp://10.0.0.1:8000", ["CHAINWRIGHT_PORT=tcp://10.0.0.1:8000", "enableServiceLinks: false"]),
        ("PORT", "udp://10.0.0.1:8000", ["enableServiceLinks: false"]),
        ("PORT", "http", ["CHAINWRIGHT_PORT=http", "whole number"]),
        ("PORT", "70000", ["CHAINWRIGHT_PORT=70000", "65535"]),
        ("CORS_ORIGINS", "app.example.org", ["CHAINWRIGHT_CORS_ORIGINS=", "https://app.example.org"]),
        ("CORS_ORIGINS", "[1, 2]", ["CHAINWRIGHT_CORS_ORIGINS=[1, 2]"]),
        ("CORS_ORIGINS", "https://a.example/path", ["no origin"]),
        ("VOCABULARIES", "zh", ["CHAINWRIGHT_VOCABULARIES=zh", "JSON object"]),
        ("VOCABULARIES", '["zh"]', ["JSON object"]),
        ("VOCABULARIES", '{"zh":', ["no JSON"]),
        ("VOCABULARIES", '{"zh": 1}', ["CHAINWRIGHT_VOCABULARIES"]),
        ("VOCABULARIES", '{"zh": "no_such_module:rule"}', ["no_such_module", "package.module:function"]),
        ("VOCABULARIES", '{"zh": "os:sep"}', ["os:sep", "package.module:function"]),
        ("LIMITS", "many", ["CHAINWRIGHT_LIMITS=many", "JSON object"]),
        ("MAX_CHAINS", "many", ["CHAINWRIGHT_MAX_CHAINS=many", "whole number"]),
        ("MAX_CHAINS", "0", ["CHAINWRIGHT_MAX_CHAINS=0", "at least 1"]),
        ("MAX_BODY_BYTES", "big", ["CHAINWRIGHT_MAX_BODY_BYTES=big"]),
        ("PING_SECONDS", "soon", ["CHAINWRIGHT_PING_SECONDS=soon", "a number"]),
        ("OFFLINE", "perhaps", ["CHAINWRIGHT_OFFLINE=perhaps", "true or false"]),
        ("WORKER", "perhaps", ["CHAINWRIGHT_WORKER=perhaps", "'on' or 'off'"]),
        ("PRECISION", "int8", ["CHAINWRIGHT_PRECISION=int8", "bfloat16"]),
        ("DEVICE", "tpu", ["CHAINWRIGHT_DEVICE=tpu", "cuda"]),
        ("DEVICE", "cpu:x", ["CHAINWRIGHT_DEVICE=cpu:x"]),
        ("RATE", "fast", ["CHAINWRIGHT_RATE=fast", "600/minute"]),
        ("HOST", "0.0.0.0:8000", ["CHAINWRIGHT_HOST=0.0.0.0:8000", "CHAINWRIGHT_PORT"]),
        ("HOST", "http://localhost", ["CHAINWRIGHT_HOST"]),
        ("ROOT_PATH", "llm", ["CHAINWRIGHT_ROOT_PATH=llm", "/llm"]),
        ("ROOT_PATH", "https://example.org/llm", ["the path alone"]),
        ("ROOT_PATH", "/llm?x", ["CHAINWRIGHT_ROOT_PATH"]),
        ("ROOT_PATH", "/v1", ["another path"]),
        ("MODEL_SOURCE", "modelscop", ["CHAINWRIGHT_MODEL_SOURCE=modelscop", "hub, modelscope"]),
        ("MODEL_SOURCE", "/nowhere", ["no folder that is there"]),
        ("MODEL_SOURCE", "https://", ["https://hub.example.org"]),
        ("MODEL_SOURCE", "https://[hub", ["https://hub.example.org"]),
        ("MODEL_SOURCE", "https://hub.example.org/?x=1", ["https://hub.example.org"]),
        ("MODEL_SOURCE", "https://me:pw@hub.example.org", ["https://***@hub.example.org", "HF_TOKEN"]),
        ("OTLP_ENDPOINT", "collector:4318", ["CHAINWRIGHT_OTLP_ENDPOINT=collector:4318", "http://"]),
        ("REDIS_URL", "cache:6379", ["CHAINWRIGHT_REDIS_URL=cache:6379", "redis://host:6379/0"]),
        ("REDIS_URL", "redis://cache:port", ["CHAINWRIGHT_REDIS_URL"]),
        ("REDIS_URL", "redis://::1:6379", ["CHAINWRIGHT_REDIS_URL"]),
        ("REDIS_URL", "redis://[::1:6379", ["CHAINWRIGHT_REDIS_URL"]),
    ],
)
def test_a_value_that_cannot_be_read_ends_in_one_line(
    name: str, value: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CHAINWRIGHT_{name}", value)
    told = refused(keys())
    assert all(word in told for word in words) and "; " in told


@pytest.mark.parametrize("name", ["REDIS_URL", "QUEUE_URL"])
@pytest.mark.parametrize("password", ["s3cr#et", "s3cr/et", "s3cr?et", "12#s3cr", "1/s3cr", "9?s3cr", "s3cr#@/et"])
@pytest.mark.parametrize("user", ["", "team"])
def test_a_mark_in_a_password_is_told_of_and_the_password_is_not(
    name: str, password: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CHAINWRIGHT_{name}", f"redis://{user}:{password}@cache:6379/0")
    told = refused(keys())
    assert f"CHAINWRIGHT_{name}=redis://***@cache:6379/0" in told and "%23" in told
    assert "s3cr" not in told and "et@" not in told and "team" not in told


@pytest.mark.parametrize("url", ["http://u:s3cret@h:6379", "redis://:s3cret", "s3cret", "redis://h?password=s3cret#x"])
def test_no_password_is_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_REDIS_URL", url)
    assert "s3cret" not in refused(keys()) and "s3cret" not in masked(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:p%23s%2Fs%3F@cache:6379/0",
        "redis://user:p@ss%25w@cache:6379/0",
        "redis://[::1]:6379/0",
        "rediss://user:pw@[fd00::1]:6380/1",
        "unix:///run/redis.sock?db=1",
        "redis://cache:6379/0?username=a@b",
        "redis://cache",
        "off",
    ],
)
def test_urls_that_can_be_read(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_REDIS_URL", url)
    found = Settings().redis_url
    assert found is not None and found.get_secret_value() == url


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("cors_origins", "https://app.example.org", ["https://app.example.org"]),
        ("cors_origins", "https://app.example.org/", ["https://app.example.org"]),
        ("cors_origins", "https://a.example, http://b.example:3000", ["https://a.example", "http://b.example:3000"]),
        ("cors_origins", "https://a.example http://b.example", ["https://a.example", "http://b.example"]),
        ("cors_origins", '["https://a.example", "http://[::1]:3000"]', ["https://a.example", "http://[::1]:3000"]),
        ("cors_origins", "['https://a.example']", ["https://a.example"]),
        ("cors_origins", "http://[::1]", ["http://[::1]"]),
        ("cors_origins", "*", ["*"]),
        ("cors_origins", '["*"]', ["*"]),
        ("cors_origins", "[]", []),
        ("vocabularies", '{"mine": "os.path:join"}', {"mine": "os.path:join"}),
        ("port", " 8080 ", 8080),
        ("port", '"8080"', 8080),
        ("model", " '/models/mine' ", "/models/mine"),
        ("model", '""', "default"),
        ("model", "  ", "default"),
        ("rate", "''", None),
        ("offline", "yes", True),
        ("offline", "ON", True),
        ("offline", "no", False),
        ("worker", "OFF", "off"),
        ("worker", "false", "off"),
        ("worker", "1", "on"),
        ("precision", "BFloat16", "bfloat16"),
        ("device", "CUDA:1", "cuda:1"),
        ("redis_memory", "64mb", 64 << 20),
        ("redis_memory", "64Mi", 64 << 20),
        ("queue_memory", "1.5 GiB", 3 << 29),
        ("score_cache_memory", "0", 0),
        ("host", "[::1]", "::1"),
        ("host", "::1", "::1"),
        ("host", "localhost", "localhost"),
        ("root_path", "/llm/", "/llm"),
        ("root_path", "/", ""),
        ("root_path", "/a/b-c", "/a/b-c"),
        ("model_source", "ModelScope", "modelscope"),
        ("model_source", "https://hub.example.org:8443/hf/", "https://hub.example.org:8443/hf"),
        ("model_source", "/", "/"),
        ("state_dir", "~/state", Path("~/state").expanduser()),
    ],
)
def test_values_are_read_as_they_are_written(
    name: str, written: str, read: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CHAINWRIGHT_{name.upper()}", written)
    assert getattr(Settings(), name) == read


def test_limits_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_MAX_BODY_BYTES", "2m")
    monkeypatch.setenv("CHAINWRIGHT_MAX_CHAINS", "'3'")
    assert (Settings().limits.max_body_bytes, Settings().limits.max_chains, Limits().max_chains) == (2 << 20, 3, 3)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_env_file_in_any_unicode(encoding: str, end: str) -> None:
    lines = ["# 模型", "export CHAINWRIGHT_MODEL='/模型'", "CHAINWRIGHT_MAX_CHAINS=7 # few", "", "SOMETHING ELSE", ""]
    Path(".env").write_bytes(end.join(lines).encode(encoding))
    assert Settings().model == "/模型" and Settings().limits.max_chains == 7
    assert keys().exit_code == 0 and "dotenv" not in keys().stderr


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("CHAINWRIGHT_PORT=1\nCHAINWRIGHT_HOST=0.0.0.0\n")
    monkeypatch.setenv("CHAINWRIGHT_PORT", "2")
    assert (Settings().port, Settings().host) == (2, "0.0.0.0")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("A=1\n# 注释\n".encode("gbk"), ["line 2", "UTF-8"]),
        ("A=café\n".encode("latin-1"), ["line 1", "UTF-8"]),
        ("CHAINWRIGHT_PORT=1\n".encode("utf-16-le"), ["UTF-16", "UTF-8"]),
        (b"\xff\xfeA", ["UTF-8"]),
        (b"A=1\nCHAINWRIGHT_PORT\n", ["line 2", "NAME=value"]),
        (b"A=1\nCHAINWRIGHT_PORT 8000\n", ["line 2", "NAME=value"]),
        (b"CHAINWRIGHT_MODEL='x\n", ["line 1", "NAME=value"]),
    ],
)
def test_an_env_file_that_cannot_be_read(content: bytes, words: list[str]) -> None:
    Path(".env").write_bytes(content)
    told = refused(keys())
    assert ".env" in told and all(word in told for word in words)


def test_misspelt_variables_are_told_of_and_those_of_kubernetes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
        "PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP_PROTO": "tcp",
        "PORT_8000_TCP_PORT": "8000",
        "PORT_8000_TCP_ADDR": "10.0.0.1",
        "API_PORT": "tcp://10.0.0.1:8000",
        "API_SERVICE_HOST": "10.0.0.1",
        "URL": "http://127.0.0.1:8000",
        "API_KEY": "cw_x",
    }.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", value)
    assert unknown_variables() == [] and keys().exit_code == 0 and "no setting" not in keys().stderr
    monkeypatch.setenv("CHAINWRIGHT_PRECISON", "float32")
    Path(".env").write_text("CHAINWRIGHT_ZZZZ=1\n")
    assert unknown_variables() == [("CHAINWRIGHT_PRECISON", "CHAINWRIGHT_PRECISION"), ("CHAINWRIGHT_ZZZZ", None)]
    told = keys().stderr
    assert told.count('"a variable is no setting"') == 2 and '"meant": "CHAINWRIGHT_PRECISION"' in told
    doctor = CliRunner().invoke(cli, ["doctor"], env={"CHAINWRIGHT_MODEL": "/nowhere", "CHAINWRIGHT_PORT": "0"})
    assert "CHAINWRIGHT_PRECISON is no setting" in doctor.stdout and "name it CHAINWRIGHT_PRECISION" in doctor.stdout
    assert {f"CHAINWRIGHT_{name.upper()}" for name in Settings.model_fields} <= KNOWN


COMMANDS = [
    ["serve"],
    ["worker"],
    ["score", "a"],
    ["sentences", "a"],
    ["search", "demo", "a"],
    ["index", "list"],
    ["keys", "list"],
    ["doctor"],
    ["batch", "lines", "-o", "out"],
    ["evaluate", "keywords", "lines"],
    ["evaluate", "retrieval", "lines", "--index", "demo"],
    ["train", "retrieval", "lines", "lines", "folder"],
    ["calibrate", "lines", "--index", "demo"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_alike(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lines").write_text('{"keywords": ["a"]}\n')
    monkeypatch.setenv("CHAINWRIGHT_PORT", "tcp://10.0.0.1:8000")
    assert "CHAINWRIGHT_PORT=tcp://10.0.0.1:8000" in refused(CliRunner().invoke(cli, command))


@pytest.mark.parametrize(
    "command",
    [
        ["batch", "lines", "--route", "/v1/score", "-o", "out"],
        ["search", "demo", "a"],
        ["index", "build", "mine", "triples"],
        ["index", "add", "demo", "a", "b", "c"],
        ["keys", "list"],
        ["keys", "create", "me"],
        ["calibrate", "questions", "--index", "demo"],
    ],
    ids=" ".join,
)
def test_a_state_directory_that_cannot_be(
    command: list[str], key_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("lines").write_text('{"texts": ["a"]}\n')
    Path("triples").write_text("a\tb\tc\n")
    Path("questions").write_text('{"question": "a?", "answer": "a ||| b ||| c"}\n')
    for name, value in {"MODEL": str(key_model_folder), "STATE_DIR": "/dev/null/state", "REDIS_URL": "off"}.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", value)
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), result.exception
    told = result.stderr.splitlines()[-1]
    assert told.startswith("Error: ") and ("CHAINWRIGHT_STATE_DIR" in told or "/dev/null/state" in told)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cors_origins": "app"}, ["CHAINWRIGHT_CORS_ORIGINS=app"]),
        ({"keys_file": "."}, ["CHAINWRIGHT_KEYS_FILE", "cannot be read"]),
        ({"keys_file": "away.json"}, ["CHAINWRIGHT_KEYS_FILE", "is not there"]),
        ({"state_dir": "/dev/null/state"}, ["CHAINWRIGHT_STATE_DIR"]),
        ({"host": "no.such.host.invalid"}, ["no.such.host.invalid:", "CHAINWRIGHT_HOST"]),
        ({"host": "192.0.2.1"}, ["192.0.2.1:", "CHAINWRIGHT_HOST"]),
    ],
    ids=str,
)
def test_a_real_process_ends_with_one_line(
    settings: dict[str, str], words: list[str], chainwright: Path, tmp_path: Path
) -> None:
    values = {"CHAINWRIGHT_PORT": "0"} | {f"CHAINWRIGHT_{name.upper()}": value for name, value in settings.items()}
    done = subprocess.run(
        [chainwright, "serve"],
        env=os.environ | values,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and all(word in line for word in words)


@pytest.mark.parametrize(
    ("name", "value"), [("URL", "cache:8000"), ("URL", "http://"), ("URL", "http://h:80x"), ("API_KEY", "ключ")]
)
def test_the_clients_variables_are_refused_alike(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lines").write_text('{"texts": ["a"]}\n')
    monkeypatch.setenv("CHAINWRIGHT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv(f"CHAINWRIGHT_{name}", value)
    command = ["batch", "lines", "--route", "/v1/score", "-o", "out"]
    assert ("URL" if name == "URL" else "API key") in refused(CliRunner().invoke(cli, command))
