"""Blind reading: sentences of several ways, unlabelled and shuffled, with the key in another file.

    python -m benchmarks.reading write SETS --options JSON [--forms FORMS] [--sets N] --output WAY.jsonl
    python -m benchmarks.reading shuffle WAY.jsonl ... [--rank-by MEASURE] --output read.txt --key key.json
    python -m benchmarks.reading count read.txt key.json

``write`` asks the service's own task for the sentences of keyword sets, the finalists with all measures; SETS has
``keywords`` or ``concepts`` a line, and maybe ``reference`` or ``references``, which ``shuffle --references`` puts
among the rest. A reader marks each line of ``read.txt``, whose order tells nothing, with ``+`` or ``-`` in place of its
``?``; ``count`` then looks up whose they were. With two ways it also counts the sets in which one alone was natural.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.evaluate.keywords import Evaluation, read_sets
from app.engine.engine import open_engine
from app.settings.settings import Settings
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences

FINALISTS = 16


async def write(arguments: argparse.Namespace) -> None:
    """Sentences of each set to a file, a line each as it is done, with what they cost."""
    evaluation = Evaluation(arguments.file, arguments.forms, None, 0, 0, arguments.seed, "auto", None)
    sets = list(read_sets(evaluation))[arguments.skip : arguments.skip + arguments.sets]
    options = {"samples": FINALISTS, "rank_by": "acceptability", **json.loads(arguments.options)}
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state_dir=Path(state), score_cache_memory=0)
        async with open_engine(settings, lambda what, share: None) as engine:
            with arguments.output.open("w", encoding="utf-8") as file:
                for number, each in enumerate(sets):
                    body = {"keywords": each.keywords, "seed": arguments.seed + number, **options}
                    answer = await Sentences().sampled(SentencesRequest.model_validate(body), engine)
                    line = {
                        "set": f"{arguments.file.parent.name}:{each.line}",
                        "keywords": [forms[0] for forms in each.keywords],
                        "references": each.references,
                        "sentences": [sentence.model_dump(exclude={"tokens"}) for sentence in answer.sentences],
                        "lm_tokens": answer.usage.lm_tokens,
                        "seconds": answer.diagnostics.seconds,
                    }
                    print(json.dumps(line, ensure_ascii=False), file=file, flush=True)


def shuffle(arguments: argparse.Namespace) -> None:
    """One sentence of each way and set in random order, equal ones once, and the key."""
    ways: dict[str, list[dict[str, Any]]] = {
        path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()] for path in arguments.ways
    }
    common = set.intersection(*({line["set"] for line in lines} for lines in ways.values()))
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    words: dict[str, list[str]] = {}
    for way, lines in ways.items():
        for line in lines:
            if line["set"] in common:
                best = max(line["sentences"], key=lambda sentence: sentence[arguments.rank_by])
                owners[line["set"], best["text"]].append(way)
                words[line["set"]] = line["keywords"]
                if arguments.references and line["references"]:
                    owners[line["set"], line["references"][0]].append("references")
    pairs = list(owners)
    order = np.random.default_rng(arguments.seed).permutation(len(pairs))
    key, shown = {}, []
    for number, place in enumerate(order):
        of_set, text = pairs[place]
        key[str(number)] = {"set": of_set, "ways": sorted(set(owners[of_set, text]))}
        shown.append(f"{number}\t?\t{' '.join(words[of_set])}\t{text}")
    arguments.output.write_text("\n".join(shown) + "\n", "utf-8")
    arguments.key.write_text(json.dumps(key, ensure_ascii=False, indent=1) + "\n", "utf-8")


def count(arguments: argparse.Namespace) -> None:
    """Natural sentences of each way, and for each two ways the sets in which one alone was."""
    key = json.loads(arguments.key.read_text("utf-8"))
    natural: dict[str, dict[str, bool]] = defaultdict(dict)
    for line in arguments.read.read_text("utf-8").splitlines():
        number, mark, *_ = line.split("\t")
        if mark not in "+-":
            raise SystemExit(f"line {number} is not marked + or -")
        for way in key[number]["ways"]:
            natural[way][key[number]["set"]] = mark == "+"
    for way, marks in sorted(natural.items()):
        of_data: Counter[str] = Counter(each.partition(":")[0] for each, good in marks.items() if good)
        print(f"{way}: {sum(marks.values())} of {len(marks)} natural", dict(of_data))
    names = sorted(natural)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            both = natural[one].keys() & natural[other].keys()
            alone = [sum(a[each] and not b[each] for each in both) for a, b in _orders(natural[one], natural[other])]
            print(f"  {one} alone {alone[0]}, {other} alone {alone[1]}")


def _orders(one: dict[str, bool], other: dict[str, bool]) -> list[tuple[dict[str, bool], dict[str, bool]]]:
    return [(one, other), (other, one)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    writing = commands.add_parser("write")
    writing.add_argument("file", type=Path)
    writing.add_argument("--forms", type=Path)
    writing.add_argument("--options", default="{}")
    writing.add_argument("--skip", type=int, default=0)
    writing.add_argument("--sets", type=int, default=20)
    writing.add_argument("--seed", type=int, default=7)
    writing.add_argument("--output", type=Path, required=True)
    writing.set_defaults(run=lambda arguments: asyncio.run(write(arguments)))
    shuffling = commands.add_parser("shuffle")
    shuffling.add_argument("ways", type=Path, nargs="+")
    shuffling.add_argument("--rank-by", default="log_prob_per_token")
    shuffling.add_argument("--references", action="store_true")
    shuffling.add_argument("--seed", type=int, default=7)
    shuffling.add_argument("--output", type=Path, required=True)
    shuffling.add_argument("--key", type=Path, required=True)
    shuffling.set_defaults(run=shuffle)
    counting = commands.add_parser("count")
    counting.add_argument("read", type=Path)
    counting.add_argument("key", type=Path)
    counting.set_defaults(run=count)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
