"""The adapter that is shipped, with the default model, on the demo graph: as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

QUESTIONS = {
    "法国的货币是什么？": (["法国", "货币"], ["欧元"]),
    "瑞士的官方语言有哪些？": (["瑞士", "官方语言"], ["德语", "法语", "意大利语"]),
    "What is the flag of Canada?": (["Canada", "flag"], ["🇨🇦"]),
}


def test_facts_are_found_in_both_languages(tmp_path: Path) -> None:
    environment = os.environ | {"CHAINWRIGHT_STATE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "search", "demo", *QUESTIONS, "-n", "1", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["model"]["adapter"] == "kgclue" and answer["model"]["note"] is None
    for question, got in zip(QUESTIONS.items(), answer["answers"], strict=True):
        text, (key, values) = question
        assert got["query"] == text
        result = got["results"][0]
        assert [result["key"]["subject"], result["key"]["predicate"]] == key
        assert result["values"] == values
