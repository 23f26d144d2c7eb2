"""Items of jobs, and the part of their results that does not depend on the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx

LAST_DIGITS = 1e-4
"""Tolerance of sums of log-probabilities: products of small matrices may take another path in a larger batch."""

INDEX = "jobs-benchmark"
FACTS = [
    "今天\t天气\t晴",
    "今天\t时间\t早上",
    "公园（城市）\t时间\t上午",
    "公园（学校）\t朋友\t老师",
    "dog\tfood\twater",
]
KEYWORDS: list[list[Any]] = [
    ["今天", "公园"],
    ["学校", "老师"],
    ["朋友", "音乐"],
    [["dog", "dogs"], "park"],
    ["happy", "city"],
    ["城市"],
]
TEXTS = ["今天我们去公园散步。", "老师喜欢音乐。", "The dog runs in the park."]


def sentences(number: int, chains: int = 2, steps: int = 8) -> dict[str, Any]:
    """Item of /v1/sentences."""
    sampler = {"kind": "metropolis", "chains": chains, "steps": steps}
    body = {"keywords": KEYWORDS[number % len(KEYWORDS)], "seed": number, "sampler": sampler}
    return {"custom_id": f"c{number}", "url": "/v1/sentences", "body": body}


def mixed(count: int, chains: int = 2, steps: int = 8) -> list[dict[str, Any]]:
    """Items of all kinds: of ten, five for sentences, one each for the other tasks."""
    items = []
    for number in range(count):
        item = sentences(number, chains, steps)
        if number % 10 == 3:
            item |= {"url": "/v1/score", "body": {"texts": [TEXTS[number // 10 % len(TEXTS)]]}}
        elif number % 10 == 5:
            body = {key: item["body"][key] for key in ("seed", "sampler") if key in item["body"]}
            item |= {"url": "/v1/infills", "body": body | {"text": f"{KEYWORDS[number // 10 % 3][0]}___。"}}
        elif number % 10 == 4:
            body = {key: item["body"][key] for key in ("seed", "sampler") if key in item["body"]}
            item |= {"url": "/v1/paraphrases", "body": body | {"texts": TEXTS[:2], "similarity": "model"}}
        elif number % 10 == 6:
            item |= {"url": "/v1/corrections", "body": {"texts": TEXTS[:2], "confidence": number % 3 / 2}}
        elif number % 10 == 7:
            item |= {"url": f"/v1/indexes/{INDEX}/search", "body": {"query": KEYWORDS[number // 10 % 3][0], "n": 1}}
        items.append(item)
    return items


def build_index(client: httpx.Client) -> None:
    """Build the index that mixed items search."""
    client.post("/v1/indexes", json={"name": INDEX, "lines": FACTS}).raise_for_status()
    while client.get(f"/v1/indexes/{INDEX}").json()["build"]["state"] not in ("ready", "failed"):
        pass


def essence(line: str) -> tuple[str, Any]:
    """custom_id of a line of results, and its answer without times and counts of cached scores.

    See :func:`alike` for the last digits.
    """
    data = json.loads(line)
    return data["custom_id"], _lasting(data["response"]["body"])


def _lasting(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _lasting(value) for name, value in part.items() if name not in ("usage", "seconds")}
    return [_lasting(value) for value in part] if isinstance(part, list) else part


def essences(lines: Iterable[str]) -> dict[str, Any]:
    """Essences of all lines, by custom_id."""
    return dict(map(essence, lines))


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same but for :data:`LAST_DIGITS` of their numbers."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= LAST_DIGITS
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(part, other[name]) for name, part in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)
