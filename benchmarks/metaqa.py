"""MetaQA of one hop: keys from either end of a relation, several values each; hits@1 on held-out questions.

    python -m benchmarks.metaqa prepare KB.tsv.gz QUESTIONS.tsv FOLDER
    chainwright index build metaqa KB.tsv.gz --both-ends
    chainwright train retrieval FOLDER/train.jsonl FOLDER/dev.jsonl FOLDER/run
    export CHAINWRIGHT_RETRIEVAL_ADAPTER=FOLDER/run/adapter
    chainwright calibrate FOLDER/dev.jsonl --index metaqa
    python -m benchmarks.metaqa evaluate KB.tsv.gz FOLDER metaqa

``prepare`` splits the questions by their entity, so that no held-out one is about an entity that was
trained on. hits@1 is the share of questions whose top answer, the first value of the best key, is among
the right ones. Beside it stand the share of best keys with any right value, and with just the right
ones; what no choice of key could surpass (``ceiling``); and the baseline, which learns nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.training.card import NAME as CARD
from app.indexes.opened import adapter_of, model_name, open_library
from app.settings.settings import Settings
from benchmarks.machine import machine, write
from benchmarks.metaqa_questions import Keys, Question, label, read_keys, read_questions, relations, split
from models.retrieval.index.overlay import OverlayView
from models.retrieval.loading import LoadedKeyModel, load_key_model
from models.retrieval.ranking.baseline import Baseline
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search

TOGETHER = 16
"""Questions of one search."""

COUNTS, HELD_OUT = "counts.json", "held_out.tsv"


def prepare(kb: Path, file: Path, folder: Path, held_out: float, dev: int, seed: int) -> dict[str, Any]:
    """Write train.jsonl, dev.jsonl and the held-out questions; the counts of it all."""
    questions = read_questions(file)
    learnt, kept = split(questions, held_out, seed)
    labelled = label(learnt, read_keys(kb))
    order = np.random.default_rng((seed, 1)).permutation(len(labelled.pairs)).tolist()
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("dev", order[:dev]), ("train", order[dev:])):
        rows = [_row(*labelled.pairs[i]) for i in part]
        (folder / f"{name}.jsonl").write_text("".join(rows), "utf-8")
    lines = [f"{one.template.replace('[]', f'[{one.entity}]')}\t{'|'.join(sorted(one.answers))}\n" for one in kept]
    (folder / HELD_OUT).write_text("".join(lines), "utf-8")
    counts = {
        "questions": len(questions),
        "seed": seed,
        "held_out": len(kept),
        "train": len(labelled.pairs) - dev,
        "dev": dev,
        **{name: number for name, number in asdict(labelled).items() if name != "pairs"},
    }
    (folder / COUNTS).write_text(json.dumps(counts, indent=1) + "\n", "utf-8")
    return counts


def _row(question: Question, relation: str) -> str:
    answer = f"{question.entity} ||| {relation} ||| {min(question.answers)}"
    return json.dumps({"question": question.text, "answer": answer}, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Marks:
    """Shares of questions, in percent.

    Attributes:
        hits_at_1: the first value of the best key is right.
        any: one of its values is.
        equal: its values are the right answers, none more and none less.
    """

    hits_at_1: float
    any: float
    equal: float


def marks(questions: Sequence[Question], answers: Sequence[Sequence[str]]) -> Marks:
    """Compare the values of best keys, none where there was no key."""
    rows = [
        (bool(values) and values[0] in one.answers, bool(one.answers & set(values)), set(values) == one.answers)
        for one, values in zip(questions, answers, strict=True)
    ]
    return Marks(*(100 * float(share) for share in np.mean(rows, axis=0)))


def ceiling(questions: Sequence[Question], keys: Keys) -> Marks:
    """What the best choice among the keys of each question's entity would reach, for each figure by itself."""
    rows = []
    for one in questions:
        values = list(keys.get(one.entity, {}).values())
        rows.append(
            (
                any(each[0] in one.answers for each in values),
                any(one.answers & set(each) for each in values),
                any(set(each) == one.answers for each in values),
            )
        )
    return Marks(*(100 * float(share) for share in np.mean(rows, axis=0)))


def answered(view: OverlayView, loaded: LoadedKeyModel, questions: Sequence[Question], options: SearchOptions) -> Any:
    """Values of the best key of each question, and milliseconds a question."""
    began = time.perf_counter()
    values = []
    for at in range(0, len(questions), TOGETHER):
        texts = [one.text for one in questions[at : at + TOGETHER]]
        found = search(view, loaded.model, texts, options)
        values += [view.values(answer.found[0].number) if answer.found else [] for answer in found]
    return values, 1e3 * (time.perf_counter() - began) / len(questions)


def evaluate(kb: Path, folder: Path, index: str, limit: int | None, seed: int) -> dict[str, Any]:
    """Search for held-out questions, drawn at random if limited, and mark the answers."""
    settings = Settings()
    where = machine()
    library = open_library(settings)
    live, tokenizer = library.open(index), library.tokenizer
    loaded = load_key_model(
        model_name(settings),
        adapter_of(settings),
        tokenizer,
        cache=settings.cache_dir,
        progress=lambda what, share: None,
        device=settings.device,
        precision=settings.precision,
        offline=settings.offline,
        model_source=settings.model_source,
        threads=settings.torch_threads,
    )
    kept = read_questions(folder / HELD_OUT)
    order = np.random.default_rng(seed).permutation(len(kept))[:limit]
    questions, keys = [kept[i] for i in order.tolist()], read_keys(kb)
    agreeing = [i for i, one in enumerate(questions) if relations(keys, one)]

    def row(values: Sequence[Sequence[str]], **more: float) -> dict[str, Any]:
        alike = marks([questions[i] for i in agreeing], [values[i] for i in agreeing])
        found = {"all": asdict(marks(questions, values)), "kb_agrees": asdict(alike), **more}
        print(found, flush=True)
        return found

    rows = {}
    for name, options in (
        ("beam 1", SearchOptions(n=1, beams=1)),
        ("beam 3", SearchOptions(n=1, beams=3)),
        ("beam 3, fitted ranking", SearchOptions(n=1, beams=3, ranking=loaded.ranking)),
    ):
        if "fitted" not in name or options.ranking is not None:
            values, milliseconds = answered(live.view, loaded, questions, options)
            rows[name] = row(values, milliseconds=milliseconds)
    baseline = Baseline(live.view, live.key_format, tokenizer.encode, tokenizer.codec.decode)
    plain = [baseline.answer(one.text) for one in questions]
    numbers = [None if key is None else live.view.find(key) for key in plain]
    card = None if loaded.adapter is None else loaded.adapter.parent / CARD
    return {
        "machine": where,
        "training": json.loads(card.read_text("utf-8")) if card is not None and card.is_file() else None,
        "model": {"name": loaded.name, "fingerprint": loaded.fingerprint, "precision": loaded.precision},
        "index": {"keys": len(live.view), "values": live.manifest.counts["values"]},
        "prepared": json.loads((folder / COUNTS).read_text("utf-8")),
        "questions": len(questions),
        "kb_agrees": len(agreeing),
        "rows": rows,
        "floor": row([[] if number is None else live.view.values(number) for number in numbers]),
        "ceiling": asdict(ceiling(questions, keys)),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    first = commands.add_parser("prepare")
    first.add_argument("kb", type=Path)
    first.add_argument("file", type=Path)
    first.add_argument("folder", type=Path)
    first.add_argument("--held-out", type=float, default=0.35, help="share of entities")
    first.add_argument("--dev", type=int, default=300, help="questions to stop by, of entities that are not held out")
    first.add_argument("--seed", type=int, default=0)
    second = commands.add_parser("evaluate")
    second.add_argument("kb", type=Path)
    second.add_argument("folder", type=Path, help="what prepare wrote")
    second.add_argument("index", help="name of the index")
    second.add_argument("--questions", type=int, help="so many held-out questions, drawn at random")
    second.add_argument("--seed", type=int, default=0)
    second.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    if given.command == "prepare":
        print(prepare(given.kb, given.file, given.folder, given.held_out, given.dev, given.seed))
        return
    write(given.output, evaluate(given.kb, given.folder, given.index, given.questions, given.seed))


if __name__ == "__main__":
    main()
