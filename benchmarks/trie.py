"""Indexes of made-up triples in the shape of KgCLUE's: build, open, ask what may follow.

    python -m benchmarks.trie [--sizes 200000 2000000 20559652] [--tokenizer FOLDER] [--output benchmarks/trie.json]

Every contender builds from the same file in a process of its own; rivals up to ``--rivals`` triples.
Sizes that are not measured anew are kept in the file of results.
Microseconds are of one call divided by its beams, the median over several beams of random keys.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tries import CONTENDERS, encoder
from benchmarks.triples import TRIPLES, write_triples

DEPTHS = (0, 1, 3, 8)
BATCH = 160
SMALLEST = 10_000
BEAMS = 9
"""Different beams that each figure is the median of."""

LONG = 5.0
"""Seconds after which a figure is taken of the beams asked so far."""


def measure(name: str, triples: Path, folder: Path, tokenizer: Path | None) -> dict[str, Any]:
    """Build, open and ask one contender in this process."""
    encode, key_format = encoder(tokenizer)
    wall, cpu = time.perf_counter(), time.process_time()
    contender = CONTENDERS[name](triples, folder, encode, key_format)
    result: dict[str, Any] = {
        "build_s": time.perf_counter() - wall,
        "build_cpu_s": time.process_time() - cpu,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "bytes_of_keys": contender.bytes_of_keys,
        "bytes_of_values": contender.bytes_of_values,
        **contender.opened(),
    }
    rng = np.random.default_rng(1)
    for depth in DEPTHS:
        for beams in (1, BATCH):
            result[f"depth_{depth}_batch_{beams}_us"] = _ask(contender, rng, beams, partial(_at, depth))
    result[f"mixed_batch_{BATCH}_us"] = _ask(contender, rng, BATCH, lambda key: int(rng.integers(1, len(key))))
    return result


def _at(depth: int, key: Any) -> int:
    return depth


def _ask(contender: Any, rng: np.random.Generator, beams: int, depth: Callable[[Any], int]) -> float:
    """Microseconds a beam of a call for so many beams at this depth of keys that are longer."""
    figures: list[float] = []
    while len(figures) < BEAMS and sum(figures) * beams < LONG * 1e6:
        prefixes: list[Any] = []
        while len(prefixes) < beams:
            prefixes += [key[:at] for key in contender.sample(rng, beams) if (at := depth(key)) < len(key)]
        ask = contender.asker(prefixes[:beams])
        start = time.perf_counter()
        ask()
        figures.append((time.perf_counter() - start) / beams * 1e6)
    return statistics.median(figures)


def in_a_process(name: str, triples: Path, folder: Path, tokenizer: Path | None) -> dict[str, Any]:
    """:func:`measure` in a new process, whose memory is its own."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.trie", "--measure", name, str(triples), str(folder)]
    command += ["--tokenizer", str(tokenizer)] if tokenizer else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def show(size: int, name: str, found: dict[str, Any]) -> None:
    """One row of the table."""
    asked = "  ".join(f"{found[f'depth_{depth}_batch_{BATCH}_us']:10.2f}" for depth in DEPTHS)
    opened = f"{found['open_s']:7.3f}" if "open_s" in found else "      -"
    print(
        f"{size:10,} {name:12} {found['build_s']:8.1f} s {found['build_cpu_s']:8.1f} s "
        f"{found['peak_bytes'] / 1e9:6.2f} GB {found['bytes_of_keys'] / size:7.1f} {opened} s "
        f"{asked}  {found[f'mixed_batch_{BATCH}_us']:10.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 2_000_000, TRIPLES])
    parser.add_argument("--rivals", type=int, default=2_000_000, help="triples up to which rivals take part")
    parser.add_argument("--tokenizer", type=Path, help="folder with a tokenizer.json; a token a character without")
    parser.add_argument("--scratch", type=Path, help="folder for gigabytes of scratch files")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/trie.json"))
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if min(arguments.sizes) < SMALLEST:
        parser.error(f"--sizes: at least {SMALLEST}, so that there are keys of every depth to sample")
    if arguments.measure:
        name, triples, folder = arguments.measure
        print(json.dumps(measure(name, Path(triples), Path(folder), arguments.tokenizer)))
        return
    # Here, for it imports torch: a measured process is to hold nothing but what is measured.
    from benchmarks.machine import machine, write

    header = "  ".join(f"depth {depth:4}" for depth in DEPTHS)
    print(f"us a beam in a batch of {BATCH}, at each depth and at mixed ones, on the right; bytes a key before 'open'")
    titles = f"{'build':>10} {'CPU':>10} {'peak':>9} {'bytes':>7} {'open':>9}"
    print(f"{'triples':>10} {'':12} {titles} {header}  {'mixed':>10}")
    result: dict[str, Any] = json.loads(arguments.output.read_text("utf-8")) if arguments.output.exists() else {}
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        for size in arguments.sizes:
            triples = Path(scratch) / "triples.tsv"
            # In a process of its own: peak memory is inherited by the children of a process.
            generator = get_context("spawn").Process(target=write_triples, args=(triples, size))
            generator.start()
            generator.join()
            rows: dict[str, Any] = {}
            tokenizer = "real" if arguments.tokenizer else "code points"
            result[str(size)] = {"machine": machine(), "tokenizer": tokenizer, "contenders": rows}
            for name in CONTENDERS if size <= arguments.rivals else list(CONTENDERS)[:1]:
                rows[name] = in_a_process(name, triples, Path(scratch) / "folder", arguments.tokenizer)
                show(size, name, rows[name])
            write(arguments.output, result)


if __name__ == "__main__":
    main()
