"""Search on KgCLUE: options side by side, against Hugging Face, absent entities, misspelt ones.

``python -m benchmarks.retrieval INDEX QUESTIONS [--adapter FOLDER] [--skip N] [--questions N] [--output FILE]``

INDEX is the folder of an index of triples, QUESTIONS a file in KgCLUE's format whose answers it
holds. Figures of one run are comparable with each other, not with those published for the full KB.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from app.indexes.opened import SHIPPED_ADAPTER
from benchmarks.machine import machine, write
from models.language.loading import source_of
from models.retrieval.examples import Example, read_examples
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.overlay import OverlayView
from models.retrieval.loading import KeyTokenizer, LoadedKeyModel, load_key_model
from models.retrieval.misspelt import misspell
from models.retrieval.search.confidence_features import confidence_features
from models.retrieval.search.options import Answer, SearchOptions
from models.retrieval.search.search import search
from models.retrieval.training.calibrate import is_right, without

TOGETHER = 16
"""Questions of one search, and rows of one ``generate``."""


def asked(index: Any, loaded: LoadedKeyModel, questions: Sequence[str], options: SearchOptions) -> list[Answer]:
    """Answers to all questions, a batch after the other."""
    batches = [questions[at : at + TOGETHER] for at in range(0, len(questions), TOGETHER)]
    return [answer for batch in batches for answer in search(index, loaded.model, batch, options)]


def table(index: OverlayView, loaded: LoadedKeyModel, examples: Sequence[Example]) -> list[dict[str, Any]]:
    """EM of subject with predicate under each option, in percent, and milliseconds a question."""
    renormalised = [
        ("beam 1", SearchOptions(n=1, beams=1)),
        ("beam 3", SearchOptions()),
        ("beam 5", SearchOptions(beams=5)),
        ("beam 3, look-ahead 1", SearchOptions(look_ahead=1.0)),
        ("beam 3, look-ahead 4", SearchOptions(look_ahead=4.0)),
        ("beam 3, raw", SearchOptions(score="raw")),
        ("beam 3, raw per token", SearchOptions(score="raw", length_penalty=1.0)),
        ("exact", SearchOptions(mode="exact")),
    ]
    fitted = [
        (f"beam {beams}, fitted ranking", SearchOptions(n=1, beams=beams, ranking=loaded.ranking))
        for beams in (1, 3, 5)
        if loaded.ranking is not None
    ]
    if loaded.noisy_channel is not None:
        both = SearchOptions(n=1, beams=3, ranking=loaded.ranking, noisy_channel=loaded.noisy_channel)
        fitted.append(("beam 3, fitted ranking and channel", both))
    rows = []
    for name, options in renormalised + fitted:
        began = time.perf_counter()
        answers = asked(index, loaded, [example.question for example in examples], options)
        seconds = time.perf_counter() - began
        right = [is_right(loaded.model, *pair) for pair in zip(examples, answers, strict=True)]
        row = {
            "options": name,
            "em_sp": 100 * float(np.mean(right)),
            "milliseconds": 1e3 * seconds / len(examples),
            "expansions": float(np.mean([answer.expansions for answer in answers])),
            "proven": float(np.mean([answer.proven for answer in answers])),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def against_generate(
    index: OverlayView, loaded: LoadedKeyModel, weights: Any, examples: Sequence[Example], rounds: int = 2
) -> dict[str, Any]:
    """Hugging Face's constrained beam search of width 3 and this one, in turn, on the same questions and weights.

    Both search with raw scores; that the best keys are the same is said beside the times. Hugging
    Face's callback asks the same index, and remembers the node of every prefix.
    """
    questions = [example.question for example in examples]
    times: dict[str, list[float]] = {"generate": [], "raw": [], "renormalised": []}
    theirs: list[tuple[int, ...]] = []
    ours: list[Answer] = []
    for _ in range(rounds):
        began = time.perf_counter()
        theirs = generated(index, loaded, weights, questions)
        times["generate"].append(time.perf_counter() - began)
        for score in ("raw", "renormalised"):
            began = time.perf_counter()
            found = asked(index, loaded, questions, SearchOptions(score=score))
            times[score].append(time.perf_counter() - began)
            ours = found if score == "raw" else ours
    each = {name: 1e3 * min(seconds) / len(questions) for name, seconds in times.items()}
    result = {
        "questions": len(questions),
        "milliseconds": each,
        "times_faster": {name: each["generate"] / each[name] for name in ("raw", "renormalised")},
        "same_best_key": float(np.mean([a == b.found[0].tokens for a, b in zip(theirs, ours, strict=True)])),
    }
    print(result, flush=True)
    return result


def generated(
    index: OverlayView, loaded: LoadedKeyModel, weights: Any, questions: Sequence[str]
) -> list[tuple[int, ...]]:
    """The best key of each question by ``generate(prefix_allowed_tokens_fn=...)``."""
    codec = loaded.tokenizer.codec
    found: list[tuple[int, ...]] = []
    for at in range(0, len(questions), TOGETHER):
        rows = [codec.question(text) for text in questions[at : at + TOGETHER]]
        width = max(map(len, rows))
        tokens = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        follow = Follower(index, codec.end, width)
        with torch.inference_mode():
            output = weights.generate(
                input_ids=tokens,
                attention_mask=mask,
                prefix_allowed_tokens_fn=follow,
                num_beams=3,
                num_return_sequences=1,
                length_penalty=0.0,
                do_sample=False,
                max_new_tokens=80,
                pad_token_id=0,
                eos_token_id=codec.end,
            )
        written = output[:, width:].tolist()
        found += [tuple(row[: row.index(codec.end)]) if codec.end in row else tuple(row) for row in written]
    return found


class Follower:
    """Hugging Face's callback over an index."""

    def __init__(self, index: OverlayView, end: int, begun: int) -> None:
        self.index, self.end, self.begun = index, end, begun
        self.known: dict[tuple[int, ...], dict[int, int]] = {(): self._below(index.root)}

    def __call__(self, _: int, tokens: torch.Tensor) -> list[int]:
        written = tuple(tokens[self.begun :].tolist())
        if self.end in written:
            return [self.end]
        if written not in self.known:
            before = self.known.get(written[:-1], {})
            self.known[written] = self._below(before[written[-1]]) if written[-1] in before else {self.end: -1}
        return list(self.known[written])

    def _below(self, node: int) -> dict[int, int]:
        allowed = self.index.allowed(np.array([node]))
        following = dict(zip(allowed.tokens.tolist(), allowed.children.tolist(), strict=True))
        return following | ({self.end: -1} if allowed.final[0] else {})


def absent(index: OverlayView, loaded: LoadedKeyModel, examples: Sequence[Example]) -> dict[str, Any]:
    """Half of the questions after the index has lost their entities: how many of each half go without an answer."""
    assert loaded.confidence is not None
    lost, kept = examples[::2], examples[1::2]
    lacking = without(index, loaded.model, {example.fact.name for example in lost})
    options = SearchOptions(n=2, beams=3, ranking=loaded.ranking, noisy_channel=loaded.noisy_channel)
    silent = []
    for where, part in ((lacking, lost), (index, kept)):
        questions = [example.question for example in part]
        answers = asked(where, loaded, questions, options)
        silent.append(
            loaded.confidence.of(confidence_features(loaded.model, questions, answers)) < loaded.confidence.threshold
        )
    result = {
        "lost": len(lost),
        "kept": len(kept),
        "lost_without_answer": float(silent[0].mean()),
        "kept_without_answer": float(silent[1].mean()),
    }
    print(result, flush=True)
    return result


def misspelt(index: OverlayView, loaded: LoadedKeyModel, examples: Sequence[Example], seed: int = 5) -> dict[str, Any]:
    """Names of at least three characters with one replaced, inserted, left out or swapped with the next."""
    rng = np.random.default_rng(seed)
    letters = sorted({letter for example in examples for letter in example.fact.name})
    named = [one for one in examples if len(one.fact.name) > 2 and one.fact.name in one.question]
    wrong = [
        replace(one, question=one.question.replace(one.fact.name, misspell(one.fact.name, letters, rng)))
        for one in named
    ]
    result: dict[str, Any] = {"questions": len(named)}
    for ranking in (None, loaded.ranking):
        channel = None if ranking is None else loaded.noisy_channel
        options = SearchOptions(n=1, beams=3, ranking=ranking, noisy_channel=channel)
        for kind, part in (("spelt right", named), ("misspelt", wrong)):
            answers = asked(index, loaded, [one.question for one in part], options)
            names = [loaded.model.codec.parts(answer.found[0].tokens)[0] for answer in answers]
            result[f"{kind}, {'model' if ranking is None else 'fitted'} ranking"] = {
                "name_found": float(np.mean([a == b.fact.name for a, b in zip(names, part, strict=True)])),
                "em_sp": float(np.mean([is_right(loaded.model, *pair) for pair in zip(part, answers, strict=True)])),
            }
    print(result, flush=True)
    return result


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--adapter", type=Path, default=SHIPPED_ADAPTER)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--generated", type=int, default=32, help="questions for Hugging Face")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    where = machine()
    cache = Path(platformdirs.user_cache_dir("chainwright"))
    source = source_of("default", cache, lambda what, share: None)
    tokenizer = KeyTokenizer.load(source)
    loaded = load_key_model("default", given.adapter, tokenizer, cache=cache, progress=lambda what, share: None)
    index = OverlayView.of(CompiledIndex.open(given.index))
    examples = read_examples(given.file)[given.skip :][: given.questions]
    precision = torch.bfloat16 if loaded.precision == "bfloat16" else torch.float32
    plain = AutoModelForCausalLM.from_pretrained(source, dtype=precision, attn_implementation="sdpa").eval()
    weights = PeftModel.from_pretrained(plain, str(given.adapter)).merge_and_unload()
    result = {
        "machine": where,
        "model": {"name": loaded.name, "fingerprint": loaded.fingerprint, "precision": loaded.precision},
        "index": {"name": given.index.name, "keys": len(index)},
        "file": given.file.name,
        "skipped": given.skip,
        "questions": len(examples),
        "generate": against_generate(index, loaded, weights, examples[: given.generated]),
        "options": table(index, loaded, examples),
        "misspelt": misspelt(index, loaded, examples),
    }
    if loaded.confidence is not None:
        result["absent"] = absent(index, loaded, examples)
    write(given.output, result)


if __name__ == "__main__":
    main()
