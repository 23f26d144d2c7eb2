"""Shares of people's sentences that /v1/score takes: numbers, marks and accents, and references of public sets.

    python -m benchmarks.spelling NAME=FILE... [--output benchmarks/spelling.json]

Each FILE is JSON Lines; every text under `reference`, `references` or `targets` counts. Five hundred English
sentences with numbers, marks and accented letters are made here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from app.engine.engine import open_engine
from app.settings.settings import Limits, Settings
from app.tasks.score.schemas import ScoreRequest
from app.tasks.score.score import spell
from app.web.problems import ProblemError
from benchmarks.machine import machine, write
from models.language.scoring.model import LoadedModel

NUMBERS = (
    "3", "12", "1984", "2,048", "0.5", "3.5%", "10:30", "24/7", "5G", "1st", "22nd", "$19.99", "€40", "£1,250.00",
    "¥800", "7–9", "-5", "+44 20 7946 0958", "6'2\"", "1/2", "10^6", "8K", "4x4", "№ 7", "§ 12", "90°", "2×4", "½",
)  # fmt: skip
NAMES = (
    "Zoë", "José", "François", "Müller", "Søren", "Łukasz", "Björk", "Ångström", "Dvořák", "O’Neill", "D'Angelo",
    "Gabriel García Márquez", "Çelik", "Nguyễn", "São Paulo", "Curaçao", "naïve Ana", "AT&T", "C++ users", "R&D",
    "Yahoo!", "Ph.D. students", "U.S. officials", "e-mail", "#team", "@ana", "Windows 11", "COVID-19", "I/O", "A/B",
)  # fmt: skip
FRAMES = (
    "{name} waited {number} minutes, and then left…",
    "“{number}?” asked {name} — “that can’t be right!”",
    'The sign said: "{number} only"; {name} ignored it.',
    "{name} (born in 1984) paid {number} for it.",
    "Is {number} enough for {name}, or not?!",
    "It's {name}'s 3rd try: {number} points; not bad.",
    "See {name} [page {number}] – it’s worth it.",
    "At 10:30 a.m., {name} counted {number} dogs & 5 cats.",
    "{name} wrote <b>{number}</b> = {{x}} | y ~ z_1 * 2 \\ n.",
    "Café, crème brûlée and jalapeño: {name} ordered {number}.",
)


def sentences(count: int) -> list[str]:
    """So many of all combinations of a frame, a name and a number."""
    made = [frame.format(name=name, number=number) for frame, name, number in product(FRAMES, NAMES, NUMBERS)]
    return random.Random(0).sample(made, count)


def texts(file: Path) -> Iterator[str]:
    """The references of a file."""
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield from [row["reference"]] if "reference" in row else row.get("references") or row["targets"]


def share(model: LoadedModel, lines: Sequence[str]) -> dict[str, Any]:
    """How many of the lines are taken, and which are not."""
    refused: list[str] = []
    for line in lines:
        try:
            spell(ScoreRequest(texts=[line]), model, Limits())
        except ProblemError as error:
            refused.append(f"{line}: {error.faults[0].message}")
    taken = len(lines) - len(refused)
    return {"sentences": len(lines), "taken": taken, "per_cent": 100 * taken / len(lines), "refused": refused[:10]}


async def measured(files: dict[str, Path]) -> dict[str, Any]:
    """The shares of every set."""
    async with open_engine(Settings(redis_url="off"), lambda what, share: None) as engine:  # type: ignore[arg-type]
        sets = {"numbers, marks and accents": sentences(500)}
        sets |= {name: list(texts(file)) for name, file in files.items()}
        return {name: share(engine.model, lines) for name, lines in sets.items()}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("spelling.json"))
    arguments = parser.parse_args()
    files = {name: Path(file) for name, _, file in (each.partition("=") for each in arguments.sets)}
    result = asyncio.run(measured(files))
    write(arguments.output, {"machine": machine(), "sets": result})
    for name, found in result.items():
        print(f"{name}: {found['taken']} of {found['sentences']} ({found['per_cent']:.2f} %)")
        print(*found["refused"], sep="\n")


if __name__ == "__main__":
    main()
