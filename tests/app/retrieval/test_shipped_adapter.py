"""The adapter that is shipped, with the default model, on the demo graph: as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

QUESTIONS = {
    "法国的货币是什么？": ("法国", "货币", "欧元"),
    "日本用什么货币？": ("日本", "货币", "日元"),
    "瑞士的官方语言有哪些？": ("瑞士", "官方语言", "意大利语"),
    "加拿大的国旗是什么样的？": ("加拿大", "国旗", "🇨🇦"),
    "德国的英文名怎么写？": ("德国", "英文名", "Germany"),
    "韩国在哪个时区？": ("韩国", "时区", "Asia/Seoul"),
    "泰国的英文名": ("泰国", "英文名", "Thailand"),
    "欧元的符号是什么？": ("欧元", "符号", "€"),
    "日语用什么文字书写？": ("日语", "文字", "日文"),
    "巴西的主要语言是什么？": ("巴西", "主要语言", "葡萄牙语"),
    "瑞典的代码是什么？": ("瑞典", "代码", "SE"),
    "What is the currency of Japan?": ("Japan", "currency", "Japanese Yen"),
    "What is the flag of Canada?": ("Canada", "flag", "🇨🇦"),
    "What is the official language of Brazil?": ("Brazil", "official language", "Portuguese"),
    "Which time zone is Egypt in?": ("Egypt", "time zone", "Africa/Cairo"),
    "What is the Chinese name of Germany?": ("Germany", "Chinese name", "德国"),
    "What is the symbol of the Euro?": ("Euro", "symbol", "€"),
    "Which script is Russian written in?": ("Russian", "script", "Cyrillic"),
    "What is the code of Sweden?": ("Sweden", "code", "SE"),
    "What is the main language of Mexico?": ("Mexico", "main language", "Spanish"),
    "What is the currency of the United Kingdom?": ("United Kingdom", "currency", "British Pound"),
    "Where is the Swiss Franc used?": ("Swiss Franc", "used in", "Switzerland"),
}
"""Each with subject, predicate and one of the values."""


def test_facts_are_found_in_both_languages(tmp_path: Path) -> None:
    environment = os.environ | {"CHAINWRIGHT_STATE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "app.entry", "search", "demo", *QUESTIONS, "-n", "1", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["model"]["adapter"] == "kgclue" and answer["model"]["note"] is None
    assert answer["model"]["calibrated"] and answer["ranking"] == "fitted"
    wrong = []
    for (question, (subject, predicate, value)), got in zip(QUESTIONS.items(), answer["answers"], strict=True):
        assert got["query"] == question
        result = got["results"][0]
        if (result["key"]["subject"], result["key"]["predicate"]) != (subject, predicate):
            wrong.append((question, result["text"]))
        else:
            assert value in result["values"]
    assert not wrong
