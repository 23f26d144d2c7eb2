"""Links of names in sentences about the demo graph: precision, recall and F1, beside the longest match in a dictionary.

    python -m benchmarks.links [--fit] [--output benchmarks/links.json]

The sentences are those of benchmarks/link_sentences.py. A link is right if it begins and ends where the mention does
and its first entity is the mention's. The floor takes from left to right the longest name that cuts no word of a script
with spaces, in its meaning with most facts. ``--fit`` prints the law of mentions that the development sentences give.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from app.indexes.demo import DEMO
from app.indexes.opened import adapter_of, model_name, open_library
from app.settings.settings import Settings
from benchmarks.link_sentences import Mention, Sentence, ambiguous, demo_kinds, sentences
from benchmarks.machine import machine, write
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.sources import Records
from models.retrieval.links.link import Linker
from models.retrieval.links.mention_law import FEATURES, features
from models.retrieval.links.names import Entity, Name, NamesIn
from models.retrieval.loading import KeyTokenizer, LoadedKeyModel, load_key_model
from models.retrieval.ranking.logistic import logistic_fit

FILLINGS = 2
"""Sentences of each plain template."""
AMBIGUOUS = 5
"""Of the sentences about names of two kinds every fifth is linked: they are alike."""
RIDGE = 1e-3
TOGETHER = 16


def quiet(what: str, share: float | None) -> None:
    """Tell nothing of a conversion."""


class Bench:
    """An index, and the model that links to it."""

    def __init__(self, live: LiveIndex, tokenizer: KeyTokenizer, model: LoadedKeyModel) -> None:
        self.live, self.tokenizer = live, tokenizer
        self.finder = NamesIn(live.view, live.key_format, tokenizer.encode, tokenizer.decode)
        self.linker = Linker.of(live.view, model)
        assert self.linker.sequels is not None
        self.sequels = self.linker.sequels

    def linked(self, texts: Sequence[str]) -> list[list[Mention]]:
        """The links of texts, in their normal form, at the service's least confidence."""
        found: dict[int, list[Mention]] = {}
        names = [self.finder.of(text) for text in texts]
        for done in self.linker.rounds(texts, names, 0.5, TOGETHER):
            for number, links in done.items():
                found[number] = [self._mention(link.name, link.candidates[0].entity) for link in links]
        return [found[number] for number in range(len(texts))]

    def floor(self, texts: Sequence[str]) -> list[list[Mention]]:
        """From left to right the longest name, in its meaning with most facts."""
        found: list[list[Mention]] = []
        for text in texts:
            found.append([])
            at = 0
            for name in self.finder.of(text):
                if name.start >= at:
                    entity = max(name.entities, key=lambda entity: len(entity.keys))
                    found[-1].append(self._mention(name, entity))
                    at = name.stop
        return found

    def _mention(self, name: Name, entity: Entity) -> Mention:
        decode = self.tokenizer.codec.decode
        return Mention(name.start, name.stop, decode(name.tokens), decode(entity.meaning))

    def fit(self, known: Sequence[Sentence]) -> None:
        """Print the law of mentions that sentences give, and how its features lie."""
        texts = [sentence.text for sentence in known]
        names = [self.finder.of(text) for text in texts]
        every = [(text, name) for text, some in zip(texts, names, strict=True) for name in some]
        gains = []
        for at in range(0, len(every), TOGETHER):
            gains += self.sequels.gains(every[at : at + TOGETHER])
        left = iter(gains)
        rows, labels = [], []
        for sentence, some in zip(known, names, strict=True):
            rows.append(features(sentence.text, some, [next(left) for _ in some]))
            spans = {(mention.start, mention.end) for mention in sentence.mentions}
            labels += [(name.start, name.stop) in spans for name in some]
            for name, row, right in zip(some, rows[-1].tolist(), labels[len(labels) - len(some) :], strict=True):
                print(right, sentence.text[name.start : name.stop], sentence.text, row)
        x, y = np.concatenate(rows), np.array(labels, float)
        scale = x.std(0) + 1e-9
        weights, bias = logistic_fit(x / scale, y, RIDGE)
        law = dict(zip(FEATURES, (weights / scale).round(3).tolist(), strict=True))
        print(f"{len(y)} names, {int(y.sum())} mentions: {law}, bias {bias:.3f}")


def marks(known: Sequence[Sentence], found: Sequence[Sequence[Mention]]) -> dict[str, Any]:
    """Precision, recall and F1 of links over all sentences, and counts by what is difficult."""
    total: Counter[str] = Counter()
    by_trap: dict[str, Counter[str]] = {}
    for sentence, mentions in zip(known, found, strict=True):
        right = len(set(sentence.mentions) & set(mentions))
        counts = Counter(right=right, found=len(mentions), there=len(sentence.mentions))
        total += counts
        by_trap.setdefault(f"{sentence.language}, {sentence.trap}", Counter()).update(counts)
    return {"sentences": len(known), **_rates(total), "by_trap": {trap: dict(each) for trap, each in by_trap.items()}}


def _rates(counts: Counter[str]) -> dict[str, Any]:
    precision, recall = counts["right"] / max(1, counts["found"]), counts["right"] / max(1, counts["there"])
    f1 = 2 * precision * recall / (precision + recall) if counts["right"] else 0.0
    return {**counts, "precision": precision, "recall": recall, "f1": f1}


def measured(bench: Bench, known: Sequence[Sentence]) -> dict[str, Any]:
    """The marks of the links and of the floor, and sentences whose links are wrong."""
    texts = [sentence.text for sentence in known]
    began = time.perf_counter()
    found = bench.linked(texts)
    seconds = time.perf_counter() - began
    wrong = [
        f"{sentence.text} {[f'{sentence.text[m.start : m.end]}={m.subject}（{m.meaning}）' for m in each]}"
        for sentence, each in zip(known, found, strict=True)
        if set(each) != set(sentence.mentions)
    ]
    return {
        "links": marks(known, found),
        "floor": marks(known, bench.floor(texts)),
        "seconds_a_sentence": seconds / len(known),
        "wrong": wrong,
    }


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("links.json"))
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        settings = Settings(state_dir=Path(folder))
        library = open_library(settings)
        demo = library.open(DEMO)
        model = load_key_model(
            model_name(settings), adapter_of(settings), library.tokenizer, cache=settings.cache_dir, progress=quiet
        )
        bench = Bench(demo, library.tokenizer, model)
        if arguments.fit:
            bench.fit(sentences("dev", FILLINGS, 1))
            return
        result = {"test": measured(bench, sentences("test", FILLINGS, 2))}
        library.build("kinds", [Records(demo_kinds(), "CLDR")], triples=True)
        bench = Bench(library.open("kinds"), library.tokenizer, model)
        result["kinds as meanings"] = measured(bench, ambiguous()[::AMBIGUOUS])
    for name, found in result.items():
        for who in ("links", "floor"):
            m = found[who]
            print(f"{name}, {who}: precision {m['precision']:.3f}, recall {m['recall']:.3f}, F1 {m['f1']:.3f}")
        print(*found["wrong"], sep="\n")
    write(arguments.output, {"machine": machine(), **result})


if __name__ == "__main__":
    main()
