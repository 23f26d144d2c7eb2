"""Paraphrases of development texts beside copying them, and of right Chinese sentences to be read.

``python -m benchmarks.paraphrases english|english_rest FILE N``: JSON Lines with ``origin`` and ``ref``, tokenised and
in lower case, of which the first N are taken, or the rest. ``python -m benchmarks.paraphrases chinese FILE``: FCGEC's
JSON, of whose right sentences the first 20 are taken. The lines of each are written to the working directory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from app.cli.evaluate.paraphrases import ParaphrasesEvaluation, evaluate_paraphrases, read_pairs
from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.paraphrases.schemas import ParaphrasesAnswer, ParaphrasesRequest
from app.tasks.paraphrases.task import Paraphrases
from benchmarks.machine import machine, write

CHINESE = 20
"""Right sentences."""


async def chinese(engine: Engine, file: Path) -> dict[str, Any]:
    """The first right sentences, each with its best paraphrase."""
    items = json.loads(file.read_text("utf-8")).values()
    right = [item["sentence"] for item in items if not item["error_flag"]][:CHINESE]
    started = time.perf_counter()
    answer = await Paraphrases().run(ParaphrasesRequest(texts=right, seed=0), engine)
    assert isinstance(answer, ParaphrasesAnswer)
    seconds = time.perf_counter() - started
    lines = [
        {"source": one.source, **one.texts[0].model_dump(include={"text", "similarity", "overlap", "log_prob"})}
        for one in answer.paraphrases
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    Path("paraphrases_zh.jsonl").write_text(text, "utf-8")
    return {"texts": len(right), "texts_per_second": len(right) / seconds, "measure": answer.measure}


async def english(engine: Engine, file: Path, part: slice) -> dict[str, Any]:
    """BLEU, self-BLEU, iBLEU and similarity of some lines, beside copying."""
    evaluation = ParaphrasesEvaluation(file, None, {"seed": 0}, True, Path("paraphrases_en.jsonl"))
    return await evaluate_paraphrases(evaluation, list(read_pairs(evaluation))[part], engine)


async def measure(part: str, file: Path, limit: int) -> dict[str, Any]:
    """The report of a part."""
    lines = slice(limit) if part == "english" else slice(limit, None)
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        return await (chinese(engine, file) if part == "chinese" else english(engine, file, lines))


def main() -> None:
    """Write a part of paraphrases.json."""
    on = machine()
    part, file, *limit = sys.argv[1:]
    report = asyncio.run(measure(part, Path(file), int(limit[0]) if limit else CHINESE))
    written = Path(__file__).with_name("paraphrases.json")
    before = json.loads(written.read_text("utf-8")) if written.exists() else {}
    write(written, {**before, part: {"machine": on, **report}})


if __name__ == "__main__":
    main()
