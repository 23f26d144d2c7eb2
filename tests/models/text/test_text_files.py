"""Lines of a file, whatever it is written in."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.text import files as text_files
from models.text.files import Block, TextFileError, check_encoding, read_blocks, read_lines

TEXT = "上海\t人口\t2487万\n长夜（2019年）\t导演\t某人\nCafé Roma\tcity\tParis"
LINES = list(enumerate(TEXT.split("\n"), 1))

WAYS: dict[str, tuple[Callable[[str], bytes], str | None]] = {
    "UTF-8": (str.encode, None),
    "UTF-8 with a mark": (lambda text: text.encode("utf-8-sig"), None),
    "UTF-8 with a mark, and another encoding said": (lambda text: text.encode("utf-8-sig"), "gbk"),
    "UTF-16 LE": (lambda text: b"\xff\xfe" + text.encode("utf-16-le"), None),
    "UTF-16 BE": (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), None),
    "UTF-32": (lambda text: text.encode("utf-32"), None),
    "GB18030": (lambda text: text.encode("gb18030"), "gb18030"),
    "GB18030 with a mark": (lambda text: f"\ufeff{text}".encode("gb18030"), "gbk"),
    "GBK said to be GB2312": (lambda text: text.encode("gb18030"), "GB2312"),
    "UTF-16 without a mark": (lambda text: text.encode("utf-16-le"), "utf-16-le"),
    "UTF-8 said to be ASCII": (str.encode, "ascii"),
}


def pairs(path: Path, encoding: str | None = None) -> list[tuple[int, str]]:
    read = list(read_lines(path, encoding))
    assert not any(line.fault for line in read)
    return [(line.number, line.text) for line in read]


def until_refused(path: Path, **more: int) -> tuple[list[Block], TextFileError]:
    read: list[Block] = []
    with pytest.raises(TextFileError) as caught:
        read.extend(read_blocks(path, **more))
    return read, caught.value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("block", [1, 3, 1000])
@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, block: int, packed: bool, end: str
) -> None:
    """A block's border may cut a character, or a CR LF, in two. Gzip is known without a name."""
    monkeypatch.setattr(text_files, "BLOCK_BYTES", block)
    write, said = WAYS[way]
    path = tmp_path / "lines"
    for text in (TEXT, f"{TEXT}\n"):
        raw = write(text.replace("\n", end))
        path.write_bytes(gzip.compress(raw) if packed else raw)
        assert pairs(path, said) == LINES


@settings(max_examples=200)
@given(st.text("a\n\r\t\x0b\x0c\x1c\x85\u2028\u2029\ufeff汉", max_size=20), st.integers(1, 5))
@example("a\r", 1)
@example("a\r\n\r\nb", 2)
@example("\ufeff\ufeffa", 1)
def test_nothing_but_lf_cr_lf_and_cr_ends_a_line(text: str, block: int) -> None:
    wanted = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines = wanted.removesuffix("\n").split("\n") if wanted else []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "BLOCK_BYTES", block)
        path = Path(folder) / "lines"
        for encoding in ("utf-8", "utf-16-le", "gb18030"):
            path.write_bytes(text.encode(encoding))
            assert pairs(path, encoding) == list(enumerate(lines, 1))


FOREIGN = [
    ("上海\t人口\t2487万\n北京\t人口\t2189万\n", "gbk", "gbk"),
    ("ascii\tonly\there\n上海\t人口\t2487万\n", "gbk", "gbk"),
    ("𠮷野家\t类型\t餐厅，连锁\n", "gb18030", "gb18030"),
    ("上海\t人口\t2487萬\n臺北\t人口\t250萬\n", "big5", "big5"),
    ("東京\t人口\t1396万\nひらがな\tカタカナ\t漢字\n", "shift_jis", "shift_jis"),
    ("Café Roma\tcity\tParis\nDover\tin\tKent\n", "latin-1", "cp1252"),
    ("São Paulo\tcountry\tBrasil\n", "cp1252", "cp1252"),
    ("Zürich\tliegt in\tder Schweiz – “oben”\n", "cp1252", "cp1252"),
    ("Россия\tстолица\tМосква\n", "cp1251", "cp1251"),
    ("上海\t人口\t2487万\n", "utf-16-le", "utf-16-le"),
    ("Paris\tcountry\tFrance\n", "utf-16-be", "utf-16-be"),
]


@pytest.mark.parametrize(("text", "encoding", "told"), FOREIGN)
def test_another_encoding_is_named_and_the_remedy_helps(tmp_path: Path, text: str, encoding: str, told: str) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(TextFileError) as caught:
        list(read_lines(path))
    assert "facts.tsv" in caught.value.message and f"--encoding {told} " in caught.value.remedy
    assert pairs(path, told) == list(enumerate(text.rstrip("\n").split("\n"), 1))


def test_a_guess_needs_no_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told of after the block that shows it."""
    monkeypatch.setattr(text_files, "BLOCK_BYTES", 1 << 16)
    path = tmp_path / "facts.tsv"
    path.write_bytes("上海\t人口\t2487万\n".encode("gbk") * 20_000)
    read, error = until_refused(path)
    assert "gbk" in error.message and sum(map(len, read)) < 10_000


@pytest.mark.parametrize("bad", [b"\xff", b"\xff\xfe\tx", b"\x80", b"\xc3\x28", b"\xe4\xb8", b"\xed\xa0\x80"])
@pytest.mark.parametrize("others", ["x\ty", "上海\t人口", "Café\tParis"])
def test_a_line_that_is_no_text_is_a_fault_of_its_own(tmp_path: Path, bad: bytes, others: str) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes(f"{others}\n".encode() + bad + b"\n" + others.encode())
    assert [(line.text, line.fault) for line in read_lines(path)] == [
        (others, None),
        ("", "not UTF-8"),
        (others, None),
    ]


def test_a_torn_last_line_is_a_fault_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes("上海\t人口\n北京\t人口".encode()[:-1])
    assert [line.fault for line in read_lines(path)] == [None, "not UTF-8"]


def test_lines_that_are_not_in_the_encoding_said(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    path.write_bytes("上海\t人口\n北京\t人口\n".encode("gbk") + b"\xff\n")
    assert [line.fault for line in read_lines(path, "gbk")] == [None, None, "not gb18030"]
    path.write_text("上海\t人口\n北京\t人口\n", "utf-8")
    with pytest.raises(TextFileError, match="is not big5: 2 lines"):
        list(read_lines(path, "big5"))


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"PK\x03\x04rest of a workbook", "ZIP"),
        (b"\xfd7zXZ\0" + bytes(10), "xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(10), "zstd"),
        (b"BZh91AY&SY" + bytes(10), "bzip2"),
        (b"%PDF-1.7\n", "PDF"),
        (bytes(range(256)) * 10 + bytes(100), "zero bytes"),
        (gzip.compress(b"a\tb\n" * 1000, mtime=0)[:-9], "cut off"),
        (gzip.compress(b"a\tb\n" * 1000, mtime=0)[:50] + b"damage" * 10, "damaged"),
    ],
)
def test_what_is_no_text(tmp_path: Path, raw: bytes, told: str) -> None:
    path = tmp_path / "facts"
    path.write_bytes(raw)
    with pytest.raises(TextFileError, match=told):
        list(read_lines(path))


@pytest.mark.parametrize("name", ["hex", "rot13", "gkb", "", "undefined", "a\0b", "\ud800", "x" * 1000, "../utf_8"])
def test_unknown_encodings(tmp_path: Path, name: str) -> None:
    with pytest.raises(TextFileError, match="there is no text encoding"):
        check_encoding(name)
    with pytest.raises(TextFileError, match="there is no text encoding"):
        list(read_lines(tmp_path / "whatever", name) if (tmp_path / "whatever").write_text("a") else ())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TextFileError, match="no such file"):
        list(read_lines(tmp_path / "nothing"))
    with pytest.raises(TextFileError, match="it is a folder"):
        list(read_lines(tmp_path))
    with pytest.raises(TextFileError, match="cannot be read"):
        list(read_lines(tmp_path / ("x" * 300)))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_this_user_may_not_read(tmp_path: Path) -> None:
    path = tmp_path / "facts"
    path.write_text("a")
    path.chmod(0)
    with pytest.raises(TextFileError, match="may not"):
        list(read_lines(path))


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "facts"
    for raw in (b"", b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"")):
        path.write_bytes(raw)
        assert pairs(path) == []


def test_what_unpacks_to_too_much_is_refused_before_all_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "facts"
    path.write_bytes(gzip.compress(b"a\tb\tc\n" * 3_000_000, 1))
    read, error = until_refused(path, most=1_000_000)
    assert "more than 1000000 bytes" in error.message and sum(len(block.body) for block in read) <= 1_000_000


def test_pipes_and_standard_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(TEXT.encode("utf-16")),))
    writer.start()
    assert pairs(pipe) == LINES
    writer.join()
    code = "from models.text.files import *; print([ascii(line.text) for line in read_lines(STANDARD_INPUT, 'gbk')])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input="上海\n".encode("gbk"), capture_output=True, timeout=300)
    assert done.stdout.decode().strip() == str([ascii("上海")]), done.stderr
