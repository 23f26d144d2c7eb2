"""How often a batch of the engine makes the host wait for the device, by the number of chains."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_scores import CONTEXT, IDS, MASK
from benchmarks.pretend_device import pretend_device
from models.language.scoring.scorer import CausalScorer
from models.language.scoring.work import Proposals
from samplers.language import Alphabet, ProposalQuery
from tests.support.tiny_model import EVERY_FAMILY, build

FAMILY = "gemma3-window"
"""Two kinds of layers: what is made once for each kind is made twice."""


def pretended(counts: Sequence[int]) -> list[dict[str, Any]]:
    """Waits and operations of a batch on a device that the CPU pretends to be."""
    rows = []
    with pretend_device() as device:
        batch = _batches(device.hold(build(EVERY_FAMILY[FAMILY]())))
        for count in counts:
            work = batch(count)
            work()
            device.synchronisations.clear()
            device.operations = 0
            work()
            rows.append(
                {
                    "chains": count,
                    "synchronisations": sum(device.synchronisations.values()),
                    "by_operation": dict(device.synchronisations),
                    "operations": device.operations,
                }
            )
    return rows


def on_card(counts: Sequence[int]) -> list[dict[str, Any]]:
    """Waits of a batch on a GPU, of which PyTorch warns."""
    batch = _batches(build(EVERY_FAMILY[FAMILY]()).to("cuda"))
    rows = []
    for count in counts:
        work = batch(count)
        work()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                work()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        waits = sum("called a synchronizing CUDA operation" in str(one.message) for one in caught)
        rows.append({"chains": count, "synchronisations": waits})
    return rows


def constant(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether there are some, and as many for every number of chains."""
    waits = {row["synchronisations"] for row in rows}
    return len(waits) == 1 and waits != {0}


def _batches(model: Any) -> Callable[[int], Callable[[], None]]:
    """Makes the batch of so many chains: a proposal in each of two alphabets, and an edit of a kept prefix."""
    scorer = CausalScorer(model, max_tokens=65_536, max_slots=65_536)
    output = scorer.forward.output(MASK)
    context = scorer.context(CONTEXT, output)

    def make(count: int) -> Callable[[], None]:
        rng = np.random.default_rng(count)
        sentences = [tuple(int(token) for token in rng.choice(IDS, 6)) for _ in range(count)]
        bases = scorer.score(context, output, sentences, [None] * count)
        edits = [(*tokens[: i % 4], IDS[i % 7], *tokens[i % 4 + i % 2 :]) for i, tokens in enumerate(sentences)]
        alphabets = (Alphabet.INTERIOR, Alphabet.ENDS)
        queries = [ProposalQuery(i % 6, 0.1, alphabet=alphabets[i % 2], uniform=0.3) for i in range(count)]
        proposals = Proposals(output, bases, queries)

        def work() -> None:
            proposals.run([proposals])
            scorer.score(context, output, edits, bases)

        return work

    return make
