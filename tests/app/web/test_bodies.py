"""Bodies as people really send them: what can be read is, and what cannot is told why, with a remedy that fits."""

from __future__ import annotations

import codecs
import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.web.json_text import MOST_DEPTH, one_line, read_json
from app.web.problems import ProblemError
from tests.app.web.test_bad_input import assert_problem

OK = '{"texts": ["今天。"]}'
JSON = "application/json"
ROUTES = ["/v1/sentences", "/v1/score", "/v1/indexes/demo/search", "/v1/jobs"]

UNREADABLE: dict[str, tuple[bytes, int, str, str]] = {
    "empty": (b"", 400, "missing", "JSON object"),
    "blank": (b" \r\n", 400, "missing", "JSON object"),
    "GBK": (OK.encode("gbk"), 400, "not-unicode", "iconv -f GBK"),
    "Latin-1": ('{"texts": ["café là"]}'.encode("latin-1"), 400, "not-unicode", "UTF-8"),
    "gzip, undeclared": (gzip.compress(OK.encode()), 400, "not-unicode", "uncompressed"),
    "two objects": ((OK + OK).encode(), 400, "malformed-json", "application/jsonl"),
    "two lines": (f"{OK}\n{OK}\n".encode(), 400, "malformed-json", "application/jsonl"),
    "one brace more": ((OK + "}").encode(), 400, "malformed-json", "character 18"),
    "single quotes": (b"{'texts': ['a']}", 400, "malformed-json", "double quotes"),
    "curved quotes": ("{“texts”: [“a”]}".encode(), 400, "malformed-json", "straight"),
    "no quotes": (b'{texts: ["a"]}', 400, "malformed-json", "double quotes"),
    "comma before a bracket": (b'{"texts": ["a",]}', 400, "malformed-json", "the comma before the ]"),
    "comma before a brace": (b'{"texts": ["a"], }', 400, "malformed-json", "the comma before the }"),
    "Python's True": (b'{"texts": ["a"], "x": True}', 400, "malformed-json", "lower case"),
    "comment": (b'{"texts": ["a"]} // one', 400, "malformed-json", "comments"),
    "comment within": (b'{ // one\n"texts": ["a"]}', 400, "malformed-json", "comments"),
    "cut off": (b'{"texts": ["a"', 400, "malformed-json", "all of it"),
    "cut off in a string": (b'{"texts": ["a', 400, "malformed-json", "close the string"),
    "line feed in a string": (b'{"texts": ["a\nb"]}', 400, "malformed-json", "\\n"),
    "backslash": (b'{"texts": ["C:\\dir"]}', 400, "malformed-json", "\\\\"),
    "a form": (b"texts=a", 400, "malformed-json", "JSON object"),
    "deep": (b"[" * 100_000, 400, "malformed-json", "depth"),
    "deep but whole": (b"[" * 500 + b"]" * 500, 400, "malformed-json", "depth"),
    "a number of 5000 digits": (b'{"texts": ' + b"9" * 5000 + b"}", 400, "too-large", "digits"),
    "a name twice": (b'{"texts": ["a"], "texts": ["b"]}', 422, "duplicate", "once"),
    "JSON in a string": (json.dumps(OK).encode(), 422, "wrong-type", "twice"),
    "a list": (b"[]", 422, "wrong-type", "braces"),
    "null": (b"null", 422, "wrong-type", "braces"),
    "half a surrogate pair as a name": (b'{"\\ud800": 1}', 422, "not-unicode", "surrogates"),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_told_with_a_remedy_that_fits(client: TestClient, route: str, name: str) -> None:
    content, status, code, word = UNREADABLE[name]
    response = client.post(route, content=content, headers={"Content-Type": JSON})
    (fault,) = assert_problem(response, status)["errors"]
    assert fault["code"] == code and word in fault["remedy"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("application/x-www-form-urlencoded", "-H 'Content-Type: application/json'"),
        ("multipart/form-data; boundary=x", "--data-binary"),
        ("text/plain", "Content-Type: application/json"),
        ("text/csv", "Content-Type: application/json"),
        ("application/x-www-form-urlencoded; charset=utf-8", "curl -d"),
        (None, "Content-Type: application/json"),
    ],
)
def test_another_media_type(client: TestClient, route: str, kind: str | None, word: str) -> None:
    response = client.post(route, content=OK.encode(), headers={"Content-Type": kind} if kind else {})
    (fault,) = assert_problem(response, 415)["errors"]
    assert fault["field"] == "Content-Type" and fault["code"] == "wrong-media-type" and word in fault["remedy"]
    assert ("application/jsonl" in fault["remedy"]) == (route == "/v1/jobs")
    assert response.headers["accept"].startswith(JSON)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body(client: TestClient, route: str, coding: str) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": coding}
    (fault,) = assert_problem(client.post(route, content=gzip.compress(OK.encode()), headers=headers), 415)["errors"]
    assert fault["field"] == "Content-Encoding" and "uncompressed" in fault["remedy"]


def test_json_lines_where_one_object_is_due(client: TestClient) -> None:
    response = client.post("/v1/score", content=OK.encode(), headers={"Content-Type": "application/jsonl"})
    assert "/v1/jobs" in assert_problem(response, 415)["errors"][0]["remedy"]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + OK.encode(),
        *(OK.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be")),
        json.dumps(json.loads(OK)).encode(),
        f"\r\n\t {OK} \r\n".encode(),
    ],
)
@pytest.mark.parametrize("kind", [JSON, "APPLICATION/JSON; charset=utf-8", "application/problem+json"])
def test_what_can_be_read_is(client: TestClient, content: bytes, kind: str) -> None:
    headers = {"Content-Type": kind, "Content-Encoding": "identity"}
    response = client.post("/v1/score", content=content, headers=headers)
    assert response.status_code == 200 and response.json()["scores"][0]["text"] == "今天。"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ('{"keywords": ["今天"], "seed": NUMBER}', "seed", "too-large"),
        ('{"keywords": ["今天"], "sampler": {"kind": "metropolis", "beta": NUMBER}}', "sampler.beta", "too-large"),
        ('{"keywords": ["今天"], "sampler": {"chains": NUMBER}}', "sampler.chains", "too-large"),
        ('{"keywords": NUMBER}', "keywords", "wrong-type"),
    ],
)
@pytest.mark.parametrize("digits", [25, 400, 4000])
def test_huge_numbers(client: TestClient, body: str, field: str, code: str, digits: int) -> None:
    content = body.replace("NUMBER", "9" * digits)
    response = client.post("/v1/sentences", content=content, headers={"Content-Type": JSON})
    (fault,) = assert_problem(response, 422)["errors"]
    assert (fault["field"], fault["code"]) == (field, code)


@pytest.mark.parametrize(
    ("sampler", "like"),
    [
        ({"chains": 2, "steps": 3}, {"kind": "annealing", "chains": 2, "steps": 3}),
        (
            {"steps": 3, "schedule": {"stop": 6}},
            {"kind": "annealing", "steps": 3, "schedule": {"kind": "linear", "stop": 6}},
        ),
        ({"kind": "annealing", "steps": 3, "schedule": {}}, {"steps": 3}),
    ],
)
def test_a_kind_that_is_left_out_is_the_default_one(
    client: TestClient, sampler: dict[str, Any], like: dict[str, Any]
) -> None:
    one, other = (
        client.post("/v1/sentences", json={"keywords": ["今天"], "seed": 7, "sampler": each}).json()
        for each in (sampler, like)
    )
    assert one["sentences"] == other["sentences"] and one["sentences"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_json_writes_is_read_as_it_was(value: Any) -> None:
    content = json.dumps(value).encode()
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with pytest.raises(ProblemError, match="string that holds JSON"):
            read_json(content)
    else:
        assert read_json(content) == value


@example(f"{OK}\u2028".encode())
@example(b"{},")
@given(
    st.binary(max_size=60)
    | st.text("{}[]\",:'\\ \n1aTé今\u2028\x85\ufeff\ud800", max_size=30).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
)
def test_nothing_else_than_a_fault_comes_of_rubbish(content: bytes) -> None:
    for line in (False, True):
        with suppress(ProblemError):
            assert read_json(content, line=line) == json.loads(content)


def test_depth_is_bounded_exactly() -> None:
    assert read_json(b"[" * MOST_DEPTH + b"]" * MOST_DEPTH)
    with pytest.raises(ProblemError, match="depth"):
        read_json(b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1))


@given(st.text('a\x85\u2028\u2029"\\今'))
def test_a_line_stays_one_whoever_reads_it(text: str) -> None:
    line = one_line(json.dumps([text], ensure_ascii=False))
    assert len(line.splitlines()) == 1 and json.loads(line) == [text]
