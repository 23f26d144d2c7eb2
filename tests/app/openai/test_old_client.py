"""OpenAI's client of August 2024 does the same as today's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OLD = ("openai==1.40.0", "httpx==0.27.2", "distro==1.9.0")
"""The client, and what it needs beside what its successor needs."""

PROGRAM = """
import json, sys, time
import openai

assert openai.__version__ == "1.40.0"
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
lines = [
    {"custom_id": f"c{n}", "method": "POST", "url": "/v1/score", "body": {"texts": ["今天。"] * (n != 7)}}
    for n in range(100)
]
data = "".join(json.dumps(each) + "\\n" for each in lines).encode()
file = client.files.create(file=("requests.jsonl", data), purpose="batch")
assert client.files.retrieve(file.id).bytes == len(data) and file.id in [each.id for each in client.files.list()]
options = {"endpoint": "/v1/score", "completion_window": "24h", "input_file_id": file.id}
batch = client.batches.create(**options, metadata={"year": "2024"})
while batch.status not in ("completed", "failed"):
    time.sleep(0.05)
    batch = client.batches.retrieve(batch.id)
assert batch.status == "completed" and batch.metadata == {"year": "2024"}
assert batch.request_counts.model_dump() == {"total": 100, "completed": 99, "failed": 1}
found = [json.loads(each) for each in client.files.content(batch.output_file_id).text.splitlines()]
assert [each["custom_id"] for each in found] == [each["custom_id"] for each in lines if each["custom_id"] != "c7"]
assert json.loads(client.files.content(batch.error_file_id).text)["custom_id"] == "c7"
assert batch.id in [each.id for each in client.batches.list(limit=1)]
slow = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 3000}}
long = {"custom_id": "s", "method": "POST", "url": "/v1/sentences", "body": slow}
other = client.files.create(file=json.dumps(long).encode(), purpose="batch")
made = client.batches.create(**{**options, "endpoint": "/v1/sentences", "input_file_id": other.id})
assert client.batches.cancel(made.id).status in ("cancelling", "cancelled")
assert client.files.delete(file.id).deleted
try:
    client.batches.create(**options)
except openai.NotFoundError as error:
    assert error.code == "not-found" and error.param == "input_file_id" and "there is no uploaded file" in str(error)
else:
    raise AssertionError("it was deleted")
print("well")
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the old client."""
    folder = tmp_path_factory.mktemp("openai-1.40")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "0"]
    command = [*pip, "install", "--no-deps", "--only-binary", ":all:", "--target", folder, *OLD]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if found.returncode:
        pytest.skip(f"the client of 2024 cannot be installed without a network: {found.stderr.strip()[-200:]}")
    return folder


def test_the_client_of_2024(old: Path, service: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(old), *filter(None, sys.path[1:])])
    environment = {"NO_PROXY": "127.0.0.1", "PATH": os.environ["PATH"], "PYTHONPATH": path}
    command = [sys.executable, "-c", PROGRAM, service]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "well\n", done.stderr
