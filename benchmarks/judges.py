"""Judges that no chain optimises, on best sentences and on what people wrote of the same words.

    chainwright evaluate keywords SETS [--forms FORMS] --output FOUND.jsonl
    python -m benchmarks.judges FOUND.jsonl SETS [--forms FORMS] [--harper FOLDER] [--link-parser PROGRAM]
        [--dictionary WORDS] --output JUDGED.json

English: the share of sentences without a complaint by Harper (the npm package harper.js, installed in FOLDER), and of
those that link-grammar links whole (the Debian package link-grammar). Chinese: the shares of jieba's words that are
not in its dictionary (the file dict.txt of the PyPI package jieba) and that are of one character. Both: the mean
log-prob a token without a context, less that of the references with as many tokens, or one more or fewer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import rjieba

from app.cli.evaluate.keywords import Evaluation, read_sets
from app.engine.engine import Engine, open_engine
from app.engine.session import open_session
from app.settings.settings import Settings
from benchmarks.machine import machine, write


def harper(texts: Sequence[str], folder: Path) -> list[bool]:
    """Whether Harper has nothing to say, for each text."""
    script = Path(__file__).with_suffix("").parent / "harper.mjs"
    done = subprocess.run(
        ["node", script, folder], input="\n".join(texts) + "\n", capture_output=True, text=True, check=True
    )
    return [not json.loads(line) for line in done.stdout.splitlines()]


def link_grammar(texts: Sequence[str], program: str) -> list[bool]:
    """Whether there is a linkage of all words, for each text."""
    texts = [" ".join(text.split()) for text in texts]
    options = ["-graphics=0", "-verbosity=1", "-timeout=10", "-null=0", "-limit=100", "-echo=1"]
    done = subprocess.run(
        [program, "en", *options], input="\n".join(texts) + "\n", capture_output=True, text=True, check=True
    )
    linked: list[bool] = []
    for line in done.stdout.splitlines():
        if len(linked) < len(texts) and " ".join(line.split()) == texts[len(linked)]:
            linked.append(False)
        elif line.startswith("\tLinkage 1,"):
            linked[-1] = True
    if len(linked) != len(texts):
        raise ValueError(f"{program} told of {len(linked)} of {len(texts)} texts: {done.stderr[-300:]}")
    return linked


def words(texts: Sequence[str], dictionary: set[str]) -> tuple[list[bool], list[bool]]:
    """Of each word of all texts whether the dictionary lacks it, and whether it is of one character."""
    cut = [word for text in texts for word in rjieba.cut(text) if any(map(str.isalnum, word))]
    return [word not in dictionary for word in cut], [len(word) == 1 for word in cut]


async def log_probs(engine: Engine, code: str, texts: Sequence[str]) -> list[tuple[int, float]]:
    """Number of tokens and mean log-prob of each text that can be spelled, without a context."""
    vocabulary = engine.model.vocabulary(code)
    spelt = []
    for text in texts:
        try:
            spelt.append(vocabulary.sentence(text))
        except ValueError:
            continue
    session = await open_session(engine, vocabulary.name, "", max(map(len, spelt)))
    scored = await session.score(spelt, [None] * len(spelt))
    return [(len(one.tokens), float(one.log_probs.mean())) for one in scored]


def at_equal_length(found: Sequence[tuple[int, float]], references: Sequence[tuple[int, float]]) -> dict[str, float]:
    """Mean log-prob a token of the found, and how far it is above that of references of like length."""
    differences = []
    for count, value in found:
        like = [other for length, other in references if abs(length - count) <= 1]
        if like:
            differences.append(value - mean(like))
    return {
        "sentences": mean(value for _, value in found),
        "references": mean(value for _, value in references),
        "compared": len(differences),
        "above_references_of_like_length": mean(differences),
    }


async def judged(arguments: argparse.Namespace) -> dict[str, Any]:
    """All judgements."""
    sets = {
        each.line: each for each in read_sets(Evaluation(arguments.sets, arguments.forms, None, 0, 0, 0, "auto", None))
    }
    lines = [json.loads(line) for line in arguments.found.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line.get("text")]
    texts = [line["text"] for line in lines]
    references = [reference for line in lines for reference in sets[line["line"]].references]
    code = lines[0]["vocabulary"]
    result: dict[str, Any] = {"sets": len(texts), "references": len(references)}

    def compared(name: str, judge: Any) -> None:
        ours, theirs = 100 * mean(judge(texts)), 100 * mean(judge(references))
        result[name] = {"sentences": ours, "references": theirs, "difference": ours - theirs}
        print(name, result[name], flush=True)

    if arguments.harper:
        compared("percent_without_complaint_by_harper", lambda of: harper(of, arguments.harper))
    if arguments.link_parser:
        compared("percent_linked_by_link_grammar", lambda of: link_grammar(of, arguments.link_parser))
    if arguments.dictionary:
        known = {line.split(" ")[0] for line in arguments.dictionary.read_text("utf-8").splitlines()}
        compared("percent_of_words_outside_the_dictionary", lambda of: words(of, known)[0])
        compared("percent_of_words_of_one_character", lambda of: words(of, known)[1])
    with tempfile.TemporaryDirectory() as state:
        async with open_engine(Settings(state_dir=Path(state)), lambda what, share: None) as engine:
            result["log_prob_per_token_without_context"] = at_equal_length(
                await log_probs(engine, code, texts), await log_probs(engine, code, references)
            )
    print(result["log_prob_per_token_without_context"])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("found", type=Path)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--forms", type=Path)
    parser.add_argument("--harper", type=Path)
    parser.add_argument("--link-parser")
    parser.add_argument("--dictionary", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    write(arguments.output, {"machine": machine(), **asyncio.run(judged(arguments))})


if __name__ == "__main__":
    main()
