"""Keys and their file."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.cli.main import cli
from app.settings.rates import parsed
from app.web.access.keys import KeyFileError, create_key, matching, read_keys, revoke_key
from app.web.access.ring import KeyRing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "keys.json"


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.access.ring.CHECK_INTERVAL", 0.0)


def test_the_file_holds_no_key_and_is_private(file: Path) -> None:
    key, token = create_key(file, "team", "600/minute")
    text = file.read_text()
    assert token not in text and token.split("_", 2)[2] not in text and key.sha256 in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert matching(read_keys(file), token) == key


def test_only_the_whole_key_matches(file: Path) -> None:
    key, token = create_key(file, "team")
    _, other = create_key(file, "other")
    keys = read_keys(file)
    wrong = other.split("_", 2)[2]
    for text in (
        "",
        "cw_",
        key.id,
        token[:-1],
        token + "x",
        token.upper(),
        f"cw_{key.id}_{wrong}",
        f" {token}",
        "\ud800",
    ):
        assert matching(keys, text) is None, text


def test_keys_made_at_once_are_all_kept(file: Path) -> None:
    threads = [threading.Thread(target=create_key, args=(file, f"team {i}")) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.name for key in read_keys(file).values()} == {f"team {i}" for i in range(8)}
    assert sorted(path.name for path in file.parent.iterdir()) == ["keys.json", "keys.json.lock"]


@pytest.mark.parametrize("text", ["0/minute", "many", "10", "10/fortnight", "1/10 months", "-1/minute", ""])
def test_a_rate_that_is_none_is_refused(file: Path, text: str) -> None:
    with pytest.raises(ValueError, match="600/minute"):
        parsed(text)
    with pytest.raises(ValidationError):
        create_key(file, "team", rate=text)
    assert not file.exists()


def test_the_ring_follows_its_file(file: Path, looking: None) -> None:
    ring = KeyRing(file)
    assert not ring.protected
    key, token = create_key(file, "team")
    assert ring.protected and ring.find(token) == key
    assert revoke_key(file, key.id) and not revoke_key(file, key.id)
    assert ring.protected and ring.find(token) is None


def test_a_ring_never_opens_by_itself(file: Path, looking: None) -> None:
    key, token = create_key(file, "team")
    ring = KeyRing(file)
    kept = file.read_bytes()
    file.write_text("{")
    assert ring.protected and ring.find(token) == key
    file.unlink()
    assert ring.protected and ring.find(token) == key
    file.write_bytes(kept)
    assert ring.find(token) == key

    late = KeyRing(file.with_name("late.json"))
    late.path.write_text("{}}")
    assert late.protected and late.find(token) is None


def test_a_file_that_must_be_there_or_is_damaged_stops_the_start(file: Path) -> None:
    with pytest.raises(KeyFileError, match="keys create"):
        KeyRing(file, required=True)
    file.parent.mkdir()
    for text in ("", "{", '{"keys": [{}]}', '{"keys": [], "other": 1}', '{"version": 2, "keys": []}'):
        file.write_text(text)
        with pytest.raises(KeyFileError, match="damaged"):
            KeyRing(file)


def test_serve_tells_of_a_file_it_cannot_use(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_KEYS_FILE", str(file))
    refused = CliRunner().invoke(cli, ["serve", "--port", "0"])
    assert refused.exit_code == 2 and "CHAINWRIGHT_KEYS_FILE" in refused.stderr and "keys create" in refused.stderr


def test_commands_create_list_and_revoke(file: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(cli, ["keys", "create", "the team", "--rate", "9/minute", "--file", str(file)])
    assert made.exit_code == 0
    token = made.stdout.strip()
    key = matching(read_keys(file), token)
    assert key is not None and key.name == "the team" and key.rate == "9/minute"
    (listed,) = json.loads(runner.invoke(cli, ["keys", "list", "--json", "--file", str(file)]).stdout)
    assert listed["id"] == key.id and "sha256" not in listed
    assert "the team" in runner.invoke(cli, ["keys", "list", "--file", str(file)]).stdout
    assert runner.invoke(cli, ["keys", "revoke", key.id, "--file", str(file)]).exit_code == 0
    assert read_keys(file) == {}
    gone = runner.invoke(cli, ["keys", "revoke", key.id, "--file", str(file)])
    assert gone.exit_code == 2 and "keys list" in gone.stderr
    wrong = runner.invoke(cli, ["keys", "create", "x", "--quota", "lots", "--file", str(file)])
    assert wrong.exit_code == 2 and "100000/day" in wrong.stderr
