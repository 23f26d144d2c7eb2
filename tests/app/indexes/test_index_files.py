"""Files that people have: any encoding, CSV, gzip, names written in several ways; over HTTP and by commands."""

from __future__ import annotations

import gzip
import json
import math
import os
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.main import cli
from app.indexes.opened import retrieval_of
from app.main import create_app
from app.settings.settings import Limits, Settings
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support.variables import set_variables

TEXT = "\n".join(facts.LINES) + "\n"
CSV = 'entity,attribute,value\r\n"今天",天气,晴\r\n今天,天气,热\r\n今天,时间,"早上"\r\n' + "".join(
    f"{line}\r\n".replace("\t", ",") for line in facts.LINES[3:]
)

UPLOADS: dict[str, tuple[bytes, str, dict[str, str]]] = {
    "UTF-8": (TEXT.encode(), "", {}),
    "CR LF and a mark": (TEXT.replace("\n", "\r\n").encode("utf-8-sig"), "", {}),
    "CR": (TEXT.replace("\n", "\r").encode(), "", {}),
    "gzip by no name": (gzip.compress(TEXT.encode()), "", {}),
    "UTF-16": (TEXT.encode("utf-16"), "", {}),
    "gzipped UTF-16 BE": (gzip.compress(b"\xfe\xff" + TEXT.encode("utf-16-be")), "", {}),
    "GBK that is named": (TEXT.encode("gbk"), "?encoding=gbk", {}),
    "gzipped GBK": (gzip.compress(TEXT.encode("gbk")), "?encoding=GBK&format=triples", {}),
    "GBK by the type's charset": (TEXT.encode("gbk"), "", {"Content-Type": "text/plain; charset=GBK"}),
    "CSV": (CSV.encode(), "", {}),
    "CSV that is named, in GBK": (CSV.encode("gbk"), "?format=csv&encoding=gbk", {}),
    "CSV by semicolons": (CSV.replace(",", ";").encode(), "", {}),
}


@pytest.mark.parametrize("case", UPLOADS)
def test_uploads(client: TestClient, case: str) -> None:
    content, query, headers = UPLOADS[case]
    index = facts.name()
    assert client.put(f"/v1/indexes/{index}{query}", content=content, headers=headers).status_code == 202
    report = facts.wait(client, index)
    assert report["build"]["state"] == "ready" and report["report"]["malformed"] == 0, report
    assert report["keys"] == facts.KEYS and report["values"] == len(facts.LINES)
    assert facts.all_keys(client, index)["公园（学校） 朋友"] == ["老师"]


REFUSED: dict[str, tuple[bytes, str]] = {
    "GBK": (TEXT.encode("gbk"), "may be gbk; say so by --encoding gbk (over HTTP by encoding=gbk)"),
    "gzipped GBK": (gzip.compress(TEXT.encode("gbk")), "may be gbk"),
    "GBK with lines of ASCII": (b"dog\tfood\tbone\n" + TEXT.encode("gbk"), "may be gbk"),
    "UTF-16 without a mark": (TEXT.encode("utf-16-le"), "utf-16-le"),
    "half a gzip file": (gzip.compress(TEXT.encode() * 100)[:-20], "gzip data is damaged or cut off"),
    "a workbook": (b"PK\x03\x04\x14\x00" + bytes(100), "ZIP"),
    "no key": (b"no tabs here\n\nnor here\n", "format"),
    "blank lines": (b"\n \n\n", "there are no lines"),
    "nothing but a mark": (b"\xef\xbb\xbf", "there are no lines"),
}


@pytest.mark.parametrize("query", ["", "?format=triples"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read_takes_no_index_s_place(client: TestClient, case: str, query: str) -> None:
    content, told = REFUSED[case]
    index = facts.build(client)
    assert client.put(f"/v1/indexes/{index}{query}", content=content).status_code == 202
    report = facts.wait(client, index)
    assert report["build"]["state"] == "failed" and report["state"] == "ready"
    known = (told,) if not query else (told, "not a single key")
    assert any(each in report["build"]["failure"] for each in known), report["build"]
    assert len(facts.all_keys(client, index)) == facts.KEYS


def test_lines_without_a_key_take_no_index_s_place(client: TestClient) -> None:
    index = facts.build(client)
    for lines in (["a line"], ["\u200b\t天气\t晴"], ["", " "]):
        body = {"name": index, "lines": lines, "format": "triples"}
        assert client.post("/v1/indexes", json=body).status_code == 202
        report = facts.wait(client, index)
        assert report["build"]["state"] == "failed" and "not a single key" in report["build"]["failure"]
    assert len(facts.all_keys(client, index)) == facts.KEYS


def test_a_report_says_so_when_most_lines_are_malformed(client: TestClient) -> None:
    good, bad = "今天\t天气\t晴", "今天 天气 晴"
    index = facts.build(client, [good, bad, bad, ""], format="triples")
    note = client.get(f"/v1/indexes/{index}").json()["report"]["note"]
    assert note == "2 of 3 lines are malformed: look at the examples, and at the format"
    index = facts.build(client, [good, bad, "dog\tfood\twater", ""], format="triples")
    assert client.get(f"/v1/indexes/{index}").json()["report"]["note"] is None


def test_unknown_encodings_are_refused_at_once(client: TestClient) -> None:
    path = f"/v1/indexes/{facts.name()}"
    problem = assert_problem(client.put(f"{path}?encoding=gkb", content=b"a\tb\tc"), 422)
    assert problem["errors"][0]["field"] == "encoding" and "gbk" in problem["errors"][0]["remedy"]
    assert problem["errors"][0]["code"] == "unknown-value"
    headers = {"Content-Type": "text/csv; charset=hex"}
    problem = assert_problem(client.put(path, content=b"a\tb\tc", headers=headers), 422)
    assert problem["errors"][0]["field"] == "Content-Type"
    assert_problem(client.put(f"{path}?encoding=", content=b"a\tb\tc"), 422)
    assert_problem(client.get(path), 404)


def test_what_unpacks_to_too_much_is_refused(settings: Settings, tmp_path: Path) -> None:
    limits = Limits(max_upload_bytes=5000)
    app = create_app(settings.model_copy(update={"limits": limits, "state_dir": tmp_path}))
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        line = "今天\t天气\t晴\n".encode()
        assert client.put("/v1/indexes/small", content=gzip.compress(line * 1000)).status_code == 202
        assert facts.wait(client, "small")["build"]["state"] == "ready"
        assert client.put("/v1/indexes/bomb", content=gzip.compress(line * 20_000)).status_code == 202
        failure = facts.wait(client, "bomb")["build"]["failure"]
        assert "more than 100000 bytes when unpacked" in failure


def test_a_name_is_one_key_whichever_way_it_is_written(client: TestClient) -> None:
    lines = [
        "ｄｏｇ\tfood\twater",
        "dog\tｆｏｏｄ\t今天",
        " dog\u200b\tfood\tＷater",
        "公园（ 学校\u200b）\t\u3000时间\t晴",
    ]
    index = facts.build(client, lines)
    wanted = {"ｄｏｇ food": ["water", "今天", "Water"], "公园（学校\u200b） 时间": ["晴"]}
    assert facts.all_keys(client, index) == wanted
    for query in ("dog food", "ｄｏｇ\u3000ｆｏｏｄ", "do\u00adg food"):
        (answer,) = facts.search(client, index, query=query, mode="exact", n=9)
        assert answer["query"] == "dog food"
        assert {result["key"]["subject"] for result in answer["results"]} == {"ｄｏｇ", "公园"}
        assert sum(math.exp(result["renormalised"]) for result in answer["results"]) == pytest.approx(1)
    change = {
        "add": [{"subject": "ｄｏｇ ", "predicate": "food", "values": ["今天\u200b", "热"]}],
        "remove": [
            {"subject": "dog", "predicate": "ｆood", "values": ["ｗａｔｅｒ"]},
            {"subject": "公园", "meaning": "学校", "predicate": "时间"},
        ],
    }
    answer = client.patch(f"/v1/indexes/{index}", json=change).json()
    assert answer == {"index": index, "added": 1, "removed": 2, "known": 1, "missing": 0, "keys": 1}
    assert facts.all_keys(client, index) == {"ｄｏｇ food": ["今天", "Water", "热"]}


def test_decomposed_names_are_found_composed(client: TestClient) -> None:
    """Japanese kana: the tiny tokenizer knows no accents, so both forms are nothing to it, and one key."""
    forms = [unicodedata.normalize(form, "Café Roma") for form in ("NFD", "NFC")]
    index = facts.build(client, [f"{form} dog\tfood\t{form}" for form in forms])
    (values,) = facts.all_keys(client, index).values()
    assert values == [forms[1]]


def test_added_names_are_shown_as_first_written_by_every_process(client: TestClient, settings: Settings) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    for subject, value in (("ｃａｔ", "晴"), ("cat", "热"), ("Ｃat", "早")):
        body = {"add": [{"subject": subject, "predicate": "food", "values": [value]}]}
        assert client.patch(f"/v1/indexes/{index}", json=body).json()["added"] == 1
    wanted = {"今天 天气": ["晴"], "ｃａｔ food": ["晴", "热"], "Ｃat food": ["早"]}
    assert facts.all_keys(client, index) == wanted
    with TestClient(create_app(settings), raise_server_exceptions=False) as second:
        wait_until_ready(second)
        assert facts.all_keys(second, index) == wanted
        retrieval_of(second.app.state.loading.engine).library.merge(index)  # type: ignore[attr-defined]
        assert facts.all_keys(second, index) == wanted
    assert facts.all_keys(client, index) == wanted
    report = client.get(f"/v1/indexes/{index}").json()
    assert report["changes"] == {"keys_added": 0, "keys_removed": 0, "bytes": 0}


def test_keys_of_an_index_built_before_are_changed_as_they_are_written(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    library = retrieval_of(client.app.state.loading.engine).library  # type: ignore[attr-defined]
    parts = library.tokenizer.encode(["今 天  气", "天气", ""])
    live = library.open(index)
    live.update([(live.key_format.join(parts), ["晴"])])
    library.merge(index)
    change = {"subject": "今 天  气", "predicate": "天气"}
    body = {"add": [{**change, "values": ["热"]}], "remove": [{**change, "values": ["晴"]}]}
    answer = client.patch(f"/v1/indexes/{index}", json=body).json()
    assert (answer["added"], answer["removed"], answer["keys"]) == (1, 1, 2)
    answer = client.patch(f"/v1/indexes/{index}", json={"remove": [change]}).json()
    assert (answer["removed"], answer["keys"]) == (1, 1)


def test_csv_lines_in_json_and_aliases(client: TestClient) -> None:
    lines = ["key,value", '"dog, food",water', "今天,晴"]
    index = facts.build(client, lines, format="csv", aliases=['"cat, food","dog, food"'])
    assert facts.all_keys(client, index) == {"dog, food": ["water"], "cat, food": ["water"], "今天": ["晴"]}


@pytest.fixture
def state(key_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    state, nowhere = tmp_path / "state", "/nowhere/at/all"
    set_variables(monkeypatch, model=nowhere, retrieval_model=str(key_model_folder), state_dir=str(state))
    return state


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def one_line(result: Result) -> str:
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ") and ";" in line
    return line


def test_commands_read_files_in_any_encoding(state: Path, tmp_path: Path) -> None:
    path, alias = tmp_path / "facts", tmp_path / "aliases"
    path.write_bytes(gzip.compress(TEXT.encode("gbk")))
    alias.write_bytes("明天\t今天\n".encode("gbk"))
    assert "--encoding gbk" in one_line(call("index", "build", "town", str(path), code=2))
    built = call("index", "build", "town", str(path), "--alias", str(alias), "--encoding", "gbk")
    assert f"keys: {facts.KEYS + 2}" in built.stdout
    path.write_bytes(b"nothing\tof\tmany\ncolumns\n" * 2)
    built = call("index", "build", "town", str(path))
    assert "Warning" not in built.stderr
    path.write_bytes(b"a\tb\tc\n" + b"columns\n" * 2)
    assert "Warning: 2 of 3 lines are malformed" in call("index", "build", "town", str(path)).stderr


def test_commands_tell_of_bad_files_in_one_line(state: Path, tmp_path: Path) -> None:
    good, empty, prose = tmp_path / "good.tsv", tmp_path / "empty", tmp_path / "prose"
    good.write_text(TEXT, "utf-8")
    empty.write_bytes(b"")
    prose.write_text("no tabs here\n", "utf-8")
    call("index", "build", "town", str(good))
    cases: list[tuple[list[str], str]] = [
        ([str(tmp_path / "nothing.tsv")], "no such file"),
        ([str(tmp_path)], "it is a folder"),
        ([str(empty)], "there are no lines"),
        ([str(empty), "--format", "triples"], "there are no lines"),
        ([str(prose)], "name the format"),
        ([str(prose), "--format", "triples"], "prose, line 1: 1 tab-separated columns"),
        ([str(good), "--alias", str(tmp_path)], "it is a folder"),
        ([str(good), "--encoding", "gkb"], "--encoding: there is no text encoding 'gkb'"),
        ([str(good), "--encoding", "big5"], "is not big5"),
        ([str(good), "--format", "triples", "--encoding", "gkb"], "--encoding: there is no text encoding 'gkb'"),
    ]
    for arguments, told in cases:
        assert told in one_line(call("index", "build", "town", *arguments, code=2))
    assert "a name is 1 to 64 of" in one_line(call("index", "build", "Bad Name", str(good), code=2))
    assert f'"keys": {facts.KEYS}' in call("index", "info", "town", "--json").stdout


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "retrieval", "FILE", "--index", "town"],
        ["calibrate", "FILE", "--index", "town"],
        ["train", "retrieval", "FILE", "FILE", "FOLDER"],
    ],
    ids=lambda command: command[0],
)
def test_files_of_questions(state: Path, tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "questions.jsonl"
    call("index", "build", "town", str(_written(tmp_path / "facts.tsv", TEXT.encode())))
    question = '{"question": "今天天气", "answer": "今天 ||| 天气 ||| 晴"}\n'

    def told(raw: bytes | None, *more: str) -> str:
        file.unlink(missing_ok=True)
        if raw is not None:
            file.write_bytes(raw)
        places = {"FILE": str(file), "FOLDER": str(tmp_path / "trained")}
        return one_line(call(*(places.get(word, word) for word in command), *more, code=2))

    assert "no such file" in told(None)
    assert "--encoding gbk" in told(question.encode("gbk"))
    assert "no text encoding" in told(question.encode(), "--encoding", "gkb")
    assert "line 2: a line must be" in told((question + "{\n").encode("gbk"), "--encoding", "gbk")
    assert "line 2: question, subject and predicate" in told(
        (question + question.replace("今天天气", "\u200b ")).encode()
    )
    assert "holds no questions" in told(b"\n\n")


def _written(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def test_questions_in_another_encoding_and_other_forms_are_marked_as_the_index_has_them(
    state: Path, tmp_path: Path
) -> None:
    rows = "ｄｏｇ\tfood\tＷater\n今天\t天气\t晴\n"
    call("index", "build", "town", str(_written(tmp_path / "facts.tsv", rows.encode())))
    question = '{"question": "dog food 是什么", "answer": "dog ||| food ||| Water"}\n'
    wide = '{"question": "ｄｏｇ food 是什么", "answer": "ｄｏｇ ||| ｆood ||| Ｗater"}\n'
    path = _written(tmp_path / "questions", gzip.compress((question + wide).encode("gbk")))
    result = call("evaluate", "retrieval", str(path), "--index", "town", "--json", "--encoding", "gbk")
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["floor"]["EM"] == {"S": 100.0, "P": 100.0, "SP": 100.0, "O": 100.0}


@pytest.mark.parametrize("way", ["standard input", "pipe"])
def test_what_comes_through_a_pipe(state: Path, tmp_path: Path, way: str, chainwright: Path) -> None:
    """The format is looked for first, and a pipe cannot be read twice."""
    source = "-" if way == "standard input" else "/dev/fd/0"
    command = [chainwright, "index", "build", "town", source]
    done = subprocess.run(command, input=gzip.compress(TEXT.encode()), env=os.environ, capture_output=True, timeout=120)
    assert done.returncode == 0 and f"keys: {facts.KEYS}".encode() in done.stdout, done.stderr.decode()
    done = subprocess.run(command, input=b"", env=os.environ, capture_output=True, timeout=120)
    assert done.returncode == 2 and done.stderr.decode().startswith("Error: there are no lines"), done.stderr.decode()
