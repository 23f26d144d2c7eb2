"""`chainwright batch` of tables: every row comes back with its columns, its result or its error, in its format."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from app.main import create_app
from app.settings.settings import Limits, Settings
from models.text.tables.files import read_table, table_bytes
from models.text.tables.table import Column
from tests.app.cli.batch.test_batch import call, lines, write
from tests.support.live import serving

FAST = ["--set", "sampler.kind=metropolis", "--set", "sampler.chains=1", "--set", "sampler.steps=3", "--set", "seed=5"]


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        more = {"state_dir": Path(folder), "limits": Limits(max_job_items=2000)}
        with serving(create_app(settings.model_copy(update=more))) as url:
            yield url


def rows(path: Path, encoding: str = "utf-8", separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(encoding)), delimiter=separator))


def test_a_table_in_gbk_embedded(folder: Path) -> None:
    file, output = folder / "in.csv", folder / "out.csv"
    file.write_bytes('编号,词,备注\n1,今天 公园,"逗号, 在此"\n\n2,公园、今天,\n'.encode("gbk"))
    done = call(file, "--map", "keywords=词", "-o", output, "--encoding", "gbk", *FAST)
    assert done.exit_code == 0, done.output
    assert "2 results and 0 errors in" in done.stderr and "out.csv.jsonl" in done.stderr
    found = rows(output, "gb18030")
    assert [(row["编号"], row["词"], row["备注"]) for row in found] == [
        ("1", "今天 公园", "逗号, 在此"),
        ("2", "公园、今天", ""),
    ]
    answers = [line["response"]["body"]["sentences"][0] for line in lines(folder / "out.csv.jsonl")]
    assert [row["text"] for row in found] == [answer["text"] for answer in answers]
    assert [float(row["log_prob"]) for row in found] == [answer["log_prob"] for answer in answers]
    assert all("今天" in row["text"] and "公园" in row["text"] and row["error"] == "" for row in found)


def test_a_row_that_fails_has_its_error(folder: Path, service: str) -> None:
    file, output = folder / "in.tsv", folder / "out.tsv"
    file.write_text("\ufefftext\tlanguage\tnote\n今天。\t\ta\n公园。\tklingon\tb\n\t\tc\n今天公园。\tzh\td\n", "utf-8")
    arguments = [file, "-o", output, "--route", "/v1/score", "--map", "texts=text", "--map", "language=language"]
    refused = call(*arguments, "--url", service)
    assert refused.exit_code == 2 and not output.exists()
    told = [line for line in refused.stderr.splitlines() if line.startswith("Error")]
    assert told[0].startswith("Error: line 3, column language: ") and told[1].startswith("Error: line 4, column text: ")
    for _ in range(2):  # the second run finds all of it done
        done = call(*arguments, "--url", service, "--on-invalid", "skip")
        assert done.exit_code == 1 and "2 results and 2 errors" in done.stderr, done.output
        found = rows(output, "utf-8-sig", "\t")
        assert [row["note"] for row in found] == ["a", "b", "c", "d"]
        assert [row["text"] for row in found] == ["今天。", "公园。", "", "今天公园。"]
        assert [row["result_text"] for row in found] == ["今天。", "", "", "今天公园。"]
        assert [bool(row["error"]) for row in found] == [False, True, True, False] and "language: input" in found[1][
            "error"
        ]
        output.unlink()
    assert json.loads((folder / "out.tsv.job").read_text())["status"] == "completed"


@pytest.mark.parametrize("name", ["out.parquet", "out.xlsx", "out.csv"])
def test_typed_tables(folder: Path, service: str, name: str) -> None:
    file, output = folder / "in.parquet", folder / name
    parquet.write_table(pyarrow.table({"keywords": [["今天"], ["今天", "公园"]], "n": [3, None]}), file)
    done = call(file, "-o", output, "--url", service, *FAST, "--set", "samples=2")
    assert done.exit_code == 0, done.output
    form: Any = output.suffix[1:]
    found = read_table(output, form)
    names = ["keywords", "n", "text", "log_prob", "log_prob_per_token", "naturalness", "others", "seed", "error"]
    assert [column.name for column in found.columns] == names and len(found.rows) == 2
    if form == "parquet":
        assert str(found.columns[0].type).startswith("list") and found.columns[3].type == pyarrow.float64()
    cells = [dict(zip(names, row, strict=True)) for row in found.rows]
    assert [str(cell["n"] or "") for cell in cells] == ["3", ""] and all("今天" in cell["text"] for cell in cells)


def test_a_workbook_by_another_s_name(folder: Path, service: str) -> None:
    file = folder / "upload"
    file.write_bytes(table_bytes("xlsx", [Column("句"), Column("n")], [["今天。", 1], ["公园。", 2.5]]))
    output = folder / "results"
    arguments = [file, "-o", output, "--route", "/v1/score", "--url", service, "--map", "texts=句"]
    assert call(*arguments).exit_code == 2
    done = call(*arguments, "--format", "xlsx")
    assert done.exit_code == 0, done.output
    found = read_table(output, "xlsx")
    assert [row[:3] for row in found.rows] == [["今天。", 1, "今天。"], ["公园。", 2.5, "公园。"]]


def test_lines_become_a_table_and_a_table_lines(folder: Path, service: str) -> None:
    items: list[dict[str, Any]] = [{"custom_id": "a", "url": "/v1/score", "body": {"texts": ["今天。"]}}]
    items.append({"url": "/v1/infills", "body": {"text": "今天___。", "sampler": {"steps": 3, "chains": 1}, "seed": 5}})
    output = folder / "out.csv"
    done = call(write(folder / "in.jsonl", items), "-o", output, "--url", service)
    assert done.exit_code == 0, done.output
    found = rows(output)
    assert [row["custom_id"] for row in found] == ["a", "item-1"] and found[0]["vocabulary"] and found[1]["fills"]
    file = folder / "in.csv"
    file.write_text("texts\n今天。\n", "utf-8")
    assert call(file, "-o", folder / "out.jsonl", "--route", "/v1/score", "--url", service).exit_code == 0
    assert lines(folder / "out.jsonl")[0]["response"]["body"]["scores"][0]["text"] == "今天。"


BAD: dict[str, tuple[bytes, str, list[str], str]] = {
    "GBK": ("词\n今天\n公园散步\n".encode("gbk"), "in.csv", ["--map", "keywords=词"], "--encoding gbk"),
    "no column": ("词\n今天\n".encode(), "in.csv", ["--map", "keywords=字"], "the columns are 词"),
    "no field": ("词\n今天\n".encode(), "in.csv", [], "--map keywords=COLUMN"),
    "no rows": ("词\n".encode(), "in.csv", ["--map", "keywords=词"], "there are no rows"),
    "a long row": ("词\n今天,公园\n".encode(), "in.csv", ["--map", "keywords=词"], "line 2: 2 cells"),
    "no route": ("词\n今天\n".encode(), "in.csv", ["--route", "/v1/nowhere"], "/v1/sentences"),
    "no Parquet": ("词\n今天\n".encode(), "in.parquet", ["--map", "keywords=词"], "no Parquet"),
    "no table": (b'{"texts": ["a"]}\n', "in.jsonl", ["--map", "keywords=a"], "FILE is JSON Lines"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_told_in_a_line(folder: Path, case: str) -> None:
    content, name, more, told = BAD[case]
    file, output = folder / name, folder / "out.csv"
    file.write_bytes(content)
    result = call(file, "-o", output, *more)
    (line,) = result.stderr.splitlines()
    assert result.exit_code == 2 and line.startswith("Error: ") and told in line and not output.exists()


def test_a_table_is_not_written_over(folder: Path) -> None:
    file = folder / "in.csv"
    file.write_text("keywords\n今天\n", "utf-8")
    for more in ([], ["--again"]):
        assert call(file, "-o", file, *more).exit_code == 2 and file.read_text("utf-8") == "keywords\n今天\n"
    (folder / "out.csv.jsonl").write_text("mine")
    result = call(file, "-o", folder / "out.csv")
    assert result.exit_code == 2 and (folder / "out.csv.jsonl").read_text() == "mine"
