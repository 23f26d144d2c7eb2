"""Constraints that people ask for: whether each is kept, and how long the first states take.

    python -m benchmarks.constraints [--requests N] [--output benchmarks/constraints.json]

For each constraint N varied requests in Chinese and English. Every state that a chain visits is judged by plain code
of this file, which calls no constraint of the package.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rjieba
from rich.console import Console
from rich.table import Table

from app.languages.registry import LANGUAGES, masks
from app.settings.settings import Settings
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.prepare import kernel_of
from app.web.problems import ProblemError
from benchmarks.machine import machine, write
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import Session
from samplers.first_states import InfeasibleError, construct
from samplers.run import generators, run
from samplers.trace import Trace

CHAINS, STEPS = 4, 12


def _words(text: str) -> list[str]:
    return text.split()


WORDS = {
    "zh": _words(
        "公园 散步 孩子 学校 老师 音乐 朋友 早上 医院 电影 城市 春天 花园 经济 发展 问题 技术 农民 历史 语言 旅行 火车 "
        "天气 健康 运动 比赛 文化 艺术 市场 价格 咖啡 厨房 图书馆 手机"
    ),
    "en": _words(
        "dog park child school teacher music friend morning hospital film city spring garden economy growth problem "
        "machine farmer history language journey train weather health game culture art market price coffee kitchen "
        "library phone"
    ),
}
"""Keywords."""

OPENINGS = {
    "zh": _words("今天 我 昨天晚上 因为下雨 在这个城市 他说 大家都知道 如果 “朋友” 从前"),
    "en": ["Yesterday", "I", "The old man", "In this city", "When it rains", "She said", "Every one", "If", "My", "At"],
}
ENDINGS = {
    "zh": _words("。 ！ 真开心！ 很重要。 吗？ 的故事 了 不是吗？ 回家了。 非常有名"),
    "en": [
        ".",
        "!",
        "every day.",
        "is important",
        "right?",
        "with me.",
        "the end",
        ", of course.",
        "at home!",
        "today",
    ],
}
PHRASES = {"zh": _words("的 我们 一 很多 人 好 是 不 这 生活"), "en": _words("the a we is of many people in to and")}
INITIALS = {
    "zh": _words("春夏 我爱你 生日快乐 天地人 山水 早上好 平安 大家好 中国 风雨"),
    "en": _words("cat dog sun sea map top hat win at be"),
}
LISTED = {
    "zh": _words("我 他 我们 喜欢 去 看 在 有 是 的 了 很 好 大 小 和 都 也 每天 一起 说 想 新 人 家"),
    "en": _words("I he we like go see in has is the a very good big small and all also with new man home to of it"),
}
PATTERNS = {
    "zh": _words(
        ".*因为.*所以.* [^，。！？]{5}，[^，。！？]{7}。 我.* .*[了吗]。 [^的]*的[^的]* .{8,12} .*，.*，.* "
        "(我|他|你)们.*。 [^，]*[。！] 今.*"
    ),
    "en": [
        *("The .*", r"(\w+ ){5,9}\w+\.", ".* because .*", "(I|We|He) .*", "[^,]*, [^,]*", ".*[!?]", r"\w+ \w+ .*\."),
        *("[^,]*", ".* (is|was) .*", r"A .*\."),
    ],
}

Kept = Callable[[str], bool]


def request_of(kind: str, code: str, number: int) -> tuple[dict[str, Any], Kept]:
    """Fields of a request, and whether a text keeps what they ask."""
    rng = np.random.default_rng([number, len(kind), ord(code[0])])
    keywords = [str(word) for word in rng.choice(WORDS[code], size=int(rng.integers(1, 4)), replace=False)]
    body: dict[str, Any] = {"keywords": keywords, "seed": number}
    pick = number % 10
    if kind == "starts_with":
        text = OPENINGS[code][pick]
        return body | {kind: text}, lambda found: found.startswith(text)
    if kind == "ends_with":
        text = ENDINGS[code][pick]
        closed = text[-1] in "。！？.!?"
        return body | {kind: text}, lambda found: (found if closed else found[:-1]).endswith(text)
    if kind == "counts":
        phrase, least = PHRASES[code][pick], int(rng.integers(0, 3))
        most = least + int(rng.integers(0, 2))
        find = re.compile(phrase if code == "zh" else rf"\b{phrase}\b", re.IGNORECASE)
        asked = [{"phrase": phrase, "at_least": least, "at_most": most}]
        return body | {kind: asked}, lambda found: least <= len(find.findall(found)) <= most
    if kind == "vocabulary":
        function_words = bool(number % 2)
        allowed = {*LISTED[code], *keywords} | (LANGUAGES[code].function_words if function_words else set())
        asked_words = {"words": LISTED[code], "function_words": function_words}
        return body | {kind: asked_words, "length": {"min": 6}}, lambda found: _only(found, allowed, code)
    if kind == "acrostic":
        initials = INITIALS[code][pick]
        return body | {kind: initials}, lambda found: _initials(found) == initials
    pattern = PATTERNS[code][pick]
    return body | {kind: pattern}, lambda found: re.fullmatch(pattern, found) is not None


KINDS = ("starts_with", "ends_with", "counts", "vocabulary", "acrostic", "pattern")


def _only(text: str, allowed: set[str], code: str) -> bool:
    words = rjieba.cut(text) if code == "zh" else re.findall(r"[\w'’-]+", text)
    words = [word for word in words if re.search(r"\w", word)]
    return all(word in allowed or (not number and word.lower() in allowed) for number, word in enumerate(words))


def _initials(text: str) -> str:
    return "".join(clause.strip()[0].lower() for clause in re.split("[，；。！？,;.!?]", text) if clause.strip())


async def measured(model: LoadedModel, batcher: Batcher, body: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """One request: how long its first states took, and whether all states keep what is asked; or why it is refused."""
    sampler = {"kind": "metropolis", "chains": CHAINS, "steps": STEPS}
    started, worked = time.perf_counter(), time.process_time()
    try:
        request = SentencesRequest.model_validate({**body, "sampler": sampler})
        problem, options = make_problem(request, model, Settings().limits), request.sampler
        assert isinstance(options, SamplerOptions)
        session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher)
        rngs = generators(body["seed"], CHAINS)
        states = await construct(problem.source, problem.target, session, rngs)
        seconds, processor = time.perf_counter() - started, time.process_time() - worked
        trace = Trace()
        async for step in run(kernel_of(problem, options), session, states, rngs, STEPS):
            trace.add(step)
    except (ProblemError, InfeasibleError) as error:
        return {"refused": str(error), "seconds": time.perf_counter() - started, "body": body}
    texts = sorted({problem.vocabulary.decode(visit.state.tokens) for visit in trace.visits.values()})
    broken = [text for text in texts if not kept(text)]
    return {
        "seconds": seconds,
        "processor": processor,
        "texts": len(texts),
        "broken": broken,
        "example": texts[0],
        "body": body,
    }


async def main(requests: int, output: Path) -> None:
    """Measure, print, write."""
    where = machine()
    settings = Settings()
    model = load("default", cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules()))
    batcher = Batcher(ThreadPoolExecutor(1))
    table = Table("constraint", "language", "requests", "refused", "kept", "first state: median s", "greatest s")
    rows: list[dict[str, Any]] = []
    for code in ("zh", "en"):
        await measured(model, batcher, {"keywords": WORDS[code][:1], "seed": 0}, lambda text: True)  # warm up
        for kind in KINDS:
            found = [await measured(model, batcher, *request_of(kind, code, number)) for number in range(requests)]
            met = [each for each in found if "refused" not in each]
            seconds = [each["seconds"] for each in met]
            row = {
                "constraint": kind,
                "language": code,
                "requests": requests,
                "refused": [{"why": each["refused"], "body": each["body"]} for each in found if "refused" in each],
                "kept": sum(not each["broken"] for each in met),
                "broken": [{"texts": each["broken"], "body": each["body"]} for each in met if each["broken"]],
                "texts": sum(each["texts"] for each in met),
                "seconds_median": statistics.median(seconds) if seconds else None,
                "seconds_greatest": max(seconds, default=None),
                "processor_seconds_median": statistics.median(each["processor"] for each in met) if met else None,
                "processor_seconds_greatest": max((each["processor"] for each in met), default=None),
                "above_5_seconds": sum(each > 5 for each in seconds),
                "example": met[0]["example"] if met else None,
            }
            rows.append(row)
            table.add_row(
                kind, code, str(requests), str(len(found) - len(met)), f"{row['kept']}/{len(met)}",
                *(f"{each:.2f}" if seconds else "" for each in (row["seconds_median"], row["seconds_greatest"])),
            )  # fmt: skip
    Console().print(table)
    write(output, {"machine": where, "chains": CHAINS, "steps": STEPS, "rows": rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/constraints.json"))
    given = parser.parse_args()
    asyncio.run(main(given.requests, given.output))
