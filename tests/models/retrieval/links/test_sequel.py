"""Sequels against a plain forward over whole texts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.links import sequel
from models.retrieval.links.sequel import Sequels
from models.retrieval.writers.causal import CausalKeyModel
from tests.models.retrieval.families import Family, causal, decode, encode
from tests.models.retrieval.links import letters

KEYS = ("ab|p|", "ab|q|", "cde|p|", "cde|q|", "fg|p|", "fg|q|", "h|r|", "ij|q|x")


@pytest.fixture(scope="module")
def family() -> Family:
    return causal("gemma3")


def sequels(family: Family, keys: tuple[str, ...] = KEYS, key_format: KeyFormat = letters.FORMAT) -> Sequels:
    assert isinstance(family.key_model, CausalKeyModel)
    return Sequels(letters.index(keys), key_format, family.key_model.scorer, encode, decode, 2)


def log_prob(family: Family, before: str, name: str, after: str) -> float:
    """log p of the first tokens of ``after``, by one plain forward."""
    head, tail = [2, *encode(before), *encode(name)], encode(after)[: sequel.FOLLOWING]
    with torch.inference_mode():
        logits = family.plain(input_ids=torch.tensor([[*head, *tail]])).logits[0].double()
    logs = torch.log_softmax(logits, -1)
    return sum(float(logs[len(head) - 1 + at, token]) for at, token in enumerate(tail))


def test_gains_are_those_of_whole_texts(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequel, "NEAR", 2)
    finder = letters.finder(letters.index(KEYS))
    texts = ["xy-ab-kl", "ab", "ab-k"]
    places = [(text, name) for text in texts for name in finder.of(text)]
    gains = sequels(family).gains(places)
    for (text, name), gain in zip(places, gains, strict=True):
        before, after = text[: name.start], text[name.stop :]
        own = log_prob(family, before, "ab", after)
        others = [log_prob(family, before, other, after) for other in ("fg", "cde")]
        assert gain == pytest.approx(own - float(np.mean(others)) if after else 0.0, abs=2e-4)
    assert gains[1] == 0.0


def test_a_name_without_others_gains_nothing(family: Family) -> None:
    (name,) = letters.finder(letters.index(("ab|p|",))).of("ab-k")
    assert sequels(family, ("ab|p|",)).gains([("ab-k", name)]) == [0.0]


def test_keys_of_one_part_are_of_one_kind(family: Family) -> None:
    keys = letters.index(("ab", "c"))
    (name,) = letters.finder(keys, KeyFormat()).of("ab-k")
    (gain,) = sequels(family, ("ab", "c"), KeyFormat()).gains([("ab-k", name)])
    assert gain == pytest.approx(log_prob(family, "", "ab", "-k") - log_prob(family, "", "c", "-k"), abs=2e-4)
