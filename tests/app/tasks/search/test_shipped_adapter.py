"""The adapter that is shipped, with the default model, on the demo graph: as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

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


NAMES = """
奥比特（第二版）	发布时间	2021年
奥比特（第三版）	发布时间	2024年
奥比特	发布时间	2019年
Dover, Kent	starred_actors	A. Example
Dover	starred_actors	B. Example
Who Ate the Last Pie?	directed_by	C. Example
Cafe\u0301 Roma	city	Paris
Café Roma	city	Lyon
""".strip()
"""Names that differ in a bracket or behind a comma, end in a mark, or are written in two ways."""

NAMED = {
    "奥比特（第三版）是什么时候发布的？": ("奥比特", "第三版", ["2024年"]),
    "奥比特第二版的发布时间": ("奥比特", "第二版", ["2021年"]),
    "who acted in Dover, Kent": ("Dover, Kent", "", ["A. Example"]),
    "who directed Who Ate the Last Pie?": ("Who Ate the Last Pie?", "", ["C. Example"]),
    "Which city is Café Roma in?": ("Cafe\u0301 Roma", "", ["Paris", "Lyon"]),
    "Which city is Cafe\u0301 Roma in?": ("Cafe\u0301 Roma", "", ["Paris", "Lyon"]),
}
"""Each with subject, meaning and values, the subject as it was first written."""


def test_names_are_told_apart_and_found_however_they_are_written(chainwright: Path, tmp_path: Path) -> None:
    (tmp_path / "names.tsv").write_text(NAMES, "utf-8")
    run(chainwright, tmp_path, "index", "build", "names", str(tmp_path / "names.tsv"))
    answers = run(chainwright, tmp_path, "search", "names", *NAMED, "-n", "1", "--json")["answers"]
    found = [answer["results"][0] for answer in answers]
    assert [(one["key"]["subject"], one["key"]["meaning"], one["values"]) for one in found] == list(NAMED.values())


def test_facts_are_found_in_both_languages(chainwright: Path, tmp_path: Path) -> None:
    answer = run(chainwright, tmp_path, "search", "demo", *QUESTIONS, "-n", "1", "--json")
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


def run(command: Path, state: Path, *arguments: str) -> Any:
    """What a command prints, as JSON if it is."""
    done = subprocess.run(
        [command, *arguments],
        env=os.environ | {"CHAINWRIGHT_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout
