"""Files by OpenAI's own client: kept as they are, listed, deleted, bounded."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from pathlib import Path

import httpx
import openai
import pytest
from openai import OpenAI
from pydantic import SecretStr

from app.main import create_app
from app.settings.settings import Limits, Settings
from benchmarks.fuzz_requests import Fuzzer
from tests.app.openai.stock import client_of, content, done, jsonl, score, serving_queue, submitted
from tests.app.web.test_bad_input import assert_problem
from tests.support.fleet import QueueServer
from tests.support.live import serving


def test_a_file_is_kept_to_the_byte(stock: OpenAI) -> None:
    data = bytes(range(256)) * 9000  # three pieces, in no encoding
    file = stock.files.create(file=("一百行 requests.jsonl", data), purpose="batch")
    assert file.id.startswith("file-") and file.object == "file" and file.purpose == "batch"
    assert (file.bytes, file.filename, file.status) == (len(data), "一百行 requests.jsonl", "processed")
    assert file.expires_at == file.created_at + 604_800
    assert stock.files.retrieve(file.id) == file and stock.files.wait_for_processing(file.id) == file
    got = stock.files.content(file.id)
    assert got.content == data and got.response.headers["content-length"] == str(len(data))
    assert stock.files.delete(file.id).deleted is True
    for gone in (stock.files.retrieve, stock.files.content, stock.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"there is no file '{file.id}'. Name one that GET /v1/files"):
            gone(file.id)


def test_files_in_all_the_ways_that_the_client_takes(stock: OpenAI, tmp_path: Path) -> None:
    data = jsonl([score("a")])
    path = tmp_path / "requests.jsonl"
    path.write_bytes(data)
    with path.open("rb") as opened:
        for file in (data, path, opened, io.BytesIO(data), ("name", data, "application/jsonl")):
            made = stock.files.create(file=file, purpose="batch")
            assert stock.files.content(made.id).content == data
            stock.files.delete(made.id)


def test_files_of_batches_are_listed_beside_those_uploaded(stock: OpenAI) -> None:
    batch = done(stock, submitted(stock, [score("a"), {**score("b"), "body": {}}]).id)
    later = stock.files.create(file=jsonl([score("a")]), purpose="batch")
    output, errors = batch.output_file_id or "", batch.error_file_id or ""
    newest = [later.id, output, errors, batch.input_file_id]
    assert [each.id for each in stock.files.list()][:4] == newest
    assert [each.id for each in stock.files.list(order="asc")][-4:] == newest[::-1]
    assert [each.id for each in stock.files.list(limit=1)][:4] == newest
    assert [each.id for each in stock.files.list(after=later.id, limit=1).data] == [output]
    assert {each.purpose for each in stock.files.list(purpose="batch_output")} == {"batch_output"}
    assert output not in [each.id for each in stock.files.list(purpose="batch")]
    assert stock.files.list(purpose="vision").data == []
    for name in (output, errors):
        file = stock.files.retrieve(name)
        assert file == stock.files.retrieve(name) and file.bytes == len(stock.files.content(name).content)
    with pytest.raises(openai.NotFoundError, match="there is no uploaded file"):
        stock.batches.create(input_file_id=output, endpoint="/v1/score", completion_window="24h")  # type: ignore[arg-type]
    stock.files.delete(output)
    with pytest.raises(openai.NotFoundError):
        stock.files.content(output)
    assert output not in [each.id for each in stock.files.list()]
    assert content(stock, errors) and stock.batches.retrieve(batch.id).status == "completed"


def test_a_file_expires(stock: OpenAI) -> None:
    data = jsonl([score("a")])
    file = stock.files.create(file=data, purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600})
    assert file.expires_at == file.created_at + 3600
    with pytest.raises(openai.UnprocessableEntityError, match="at least 3600"):
        stock.files.create(file=data, purpose="batch", expires_after={"anchor": "created_at", "seconds": 60})


def test_files_and_batches_outlive_the_service(settings: Settings) -> None:
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        lasting = settings.model_copy(update={"state_dir": Path(folder), "queue_url": None})
        idle = lasting.model_copy(update={"worker": "off"})
        with serving(create_app(idle)) as url, client_of(url) as client:
            batch = submitted(client, [score("a")])
            data = client.files.content(batch.input_file_id).content
        with serving(create_app(lasting)) as url, client_of(url) as client:
            assert client.files.content(batch.input_file_id).content == data
            assert done(client, batch.id).status == "completed"


def test_services_on_one_queue_see_the_same(settings: Settings) -> None:
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        queue = QueueServer(Path(folder) / "queue")
        queue.start()
        try:
            with (
                serving_queue(settings, queue_url=SecretStr(queue.url), worker="off") as url,
                serving_queue(settings, queue_url=SecretStr(queue.url)) as other_url,
                client_of(url) as client,
                client_of(other_url) as other,
            ):
                batch = submitted(client, [score("a")])
                assert other.files.retrieve(batch.input_file_id) == client.files.retrieve(batch.input_file_id)
                output = done(client, batch.id).output_file_id
                assert content(client, output) == content(other, output) != []
        finally:
            queue.stop()


@pytest.mark.parametrize(
    ("files", "data", "status", "field", "code"),
    [
        ({"file": ("a", b"{}")}, {"purpose": "assistants"}, 422, "purpose", "unknown-value"),
        ({"file": ("a", b"{}")}, {}, 422, "purpose", "missing"),
        ({"file": ("a", b"{}")}, {"purpose": ["batch", "batch"]}, 422, "purpose", "duplicate"),
        ({"file": ("a", b"{}")}, {"purpose": "batch", "model": "x"}, 422, "model", "unknown-field"),
        ({"file": ("a", b"")}, {"purpose": "batch"}, 422, "file", "missing"),
        ({"file": ("a" * 256, b"{}")}, {"purpose": "batch"}, 422, "file", "too-long"),
        ({"other": ("a", b"{}")}, {"purpose": "batch"}, 422, "other", "unknown-field"),
        ({"file": (None, b"{}")}, {"purpose": "batch"}, 422, "file", "wrong-type"),
        ({"file": ("a", b"{}"), "more": ("b", b"")}, {"purpose": "batch"}, 400, "", "malformed"),
        ({"file": ("a", b"{}")}, {"purpose": "x" * 2000}, 400, "", "malformed"),
        ({"file": ("a", b"x" * (3 << 20))}, {"purpose": "batch"}, 200, "", ""),
        ({"file": ("a", b"x" * ((3 << 20) + 1))}, {"purpose": "batch"}, 413, "file", "too-large"),
        ({"file": ("a", b"x" * (4 << 20))}, {"purpose": "batch"}, 413, "", "too-large"),
        (
            {"file": ("a", b"{}")},
            {"purpose": "batch", "expires_after[anchor]": "created_at"},
            *(422, "expires_after[seconds]", "missing"),
        ),
        (
            {"file": ("a", b"{}")},
            {"purpose": "batch", "expires_after[seconds]": "soon"},
            *(422, "expires_after[seconds]", "wrong-type"),
        ),
    ],
)
def test_forms(
    http: httpx.Client, files: dict[str, object], data: dict[str, object], status: int, field: str, code: str
) -> None:
    response = http.post("/v1/files", files=files, data=data)  # type: ignore[arg-type]
    if status == 200:
        assert response.status_code == 200
        return
    fault = assert_problem(response, status)["errors"][0]
    assert (fault["field"], fault["code"]) == (field, code)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {"Content-Type": "application/jsonl"}, 415),
        (b"{}", {}, 415),
        (b"{}", {"Content-Type": "multipart/form-data"}, 400),
        (b"{}", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        (b"{}", {"Content-Type": "multipart/form-data; boundary=" + "x" * 300}, 400),
        (b"", {"Content-Type": "multipart/form-data; boundary=x"}, 422),
        (b"--x\r\n\r\n{}\r\n--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 400),
        (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": "gzip"}, 415),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n',
            {"Content-Type": "multipart/form-data; boundary=x"},
            422,  # what ends before its boundary is no part
        ),
    ],
)
def test_bodies_that_are_no_forms(http: httpx.Client, body: bytes, headers: dict[str, str], status: int) -> None:
    assert_problem(http.post("/v1/files", content=body, headers=headers), status)


def test_there_are_so_many_files_and_no_more(settings: Settings) -> None:
    few = Limits(max_files=2, max_files_bytes=100)
    with serving_queue(settings, limits=few, worker="off") as url, client_of(url) as client:
        first = client.files.create(file=b"x" * 60, purpose="batch")
        with pytest.raises(openai.UnprocessableEntityError, match=r"120 bytes.*CHAINWRIGHT_MAX_FILES_BYTES"):
            client.files.create(file=b"x" * 60, purpose="batch")
        client.files.create(file=b"x" * 40, purpose="batch")
        with pytest.raises(openai.UnprocessableEntityError, match=r"as many as may be.*CHAINWRIGHT_MAX_FILES"):
            client.files.create(file=b"x", purpose="batch")
        client.files.delete(first.id)
        client.files.create(file=b"x", purpose="batch")


def test_head_is_get_without_its_body(stock: OpenAI, http: httpx.Client) -> None:
    batch = done(stock, submitted(stock, [score("a")]).id)
    paths = ["", f"/{batch.input_file_id}", f"/{batch.output_file_id}", "/file-nope"]
    paths += [f"/{name}/content" for name in (batch.input_file_id, batch.output_file_id, "file-nope")]
    for path in [f"/v1/files{path}" for path in paths] + ["/v1/batches", f"/v1/batches/{batch.id}", "/v1/batches/x"]:
        got, headed = (http.request(method, path) for method in ("GET", "HEAD"))
        assert headed.status_code == got.status_code and headed.content == b"", path
        assert headed.headers.keys() == got.headers.keys(), path
        assert http.get(f"{path}/").status_code == 404, path


def test_a_service_without_a_queue_says_so(settings: Settings) -> None:
    off = settings.model_copy(update={"queue_url": Settings(queue_url="off").queue_url})  # type: ignore[arg-type]
    with serving(create_app(off)) as url, client_of(url) as client:
        for refused in (client.files.list, client.batches.list):
            with pytest.raises(
                openai.InternalServerError, match="This service has no queue. Set CHAINWRIGHT_QUEUE_URL"
            ):
                refused()


def test_fuzzed_files_make_batches_or_are_refused(http: httpx.Client) -> None:
    fuzzer = Fuzzer(2026)
    statuses: Counter[int] = Counter()
    for _ in range(120):
        asked = fuzzer.file()
        made = http.post("/v1/files", content=asked.body, headers=asked.headers)
        statuses[made.status_code] += 1
        if made.status_code == 200:
            name = made.json()["id"]
            body = {"input_file_id": name, "endpoint": "/v1/score", "completion_window": "24h"}
            statuses[http.post("/v1/batches", json=body).status_code] += 1
            assert http.delete(f"/v1/files/{name}").status_code == 200
    assert statuses.keys() <= {200, 400, 415, 422} and statuses[200] > 15 and statuses[422] > 20, statuses
