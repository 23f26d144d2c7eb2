"""Links against enumeration: probabilities of entities are those of all their keys, one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.retrieval.links.link import Link, Linker
from models.retrieval.links.mention_law import FEATURES, MentionLaw
from tests.models.retrieval.families import Family, causal, decode, encoder_decoder
from tests.models.retrieval.links import letters

EVERY_NAME = MentionLaw(weights=(0.0,) * len(FEATURES), bias=3.0)
FAMILIES: dict[str, Any] = {"gemma3": lambda: causal("gemma3"), "t5": lambda: encoder_decoder("t5")}


@pytest.fixture(params=list(FAMILIES), scope="module")
def family(request: pytest.FixtureRequest) -> Family:
    made: Family = FAMILIES[request.param]()
    return made


def linker(family: Family, longest: int = 100, law: MentionLaw = EVERY_NAME) -> Linker:
    return Linker(letters.index(), letters.FORMAT, family.key_model, longest, None, law)


def links(linker: Linker, texts: list[str], least: float = 0.5, together: int = 4) -> list[list[Link]]:
    finder = letters.finder(letters.index())
    done: dict[int, list[Link]] = {}
    for found in linker.rounds(texts, [finder.of(text) for text in texts], least, together):
        assert not done.keys() & found.keys()
        done |= found
    return [done[number] for number in range(len(texts))]


@pytest.mark.parametrize("together", [1, 3, 16])
def test_scores_are_the_sums_of_all_keys(family: Family, together: int) -> None:
    texts = ["xx c, yy", "ab c(x)", "", "nothing here", "c ab c"]
    found = links(linker(family), texts, together=together)
    assert [[(link.name.start, link.name.stop) for link in each] for each in found] == [
        [(3, 4)],
        [(0, 2), (3, 7)],
        [],
        [],
        [(0, 1), (2, 4), (5, 6)],
    ]
    for text, each in zip(texts, found, strict=True):
        for link in each:
            start, stop = link.name.start, link.name.stop
            truth = family.truth(f"{text[:start]}[START] {text[start:stop]} [END]{text[stop:]}", letters.index())
            sums = []
            for one in link.candidates:
                of_keys = [
                    renormalised
                    for key, (_, renormalised) in truth.items()
                    if letters.FORMAT.split(key)[::2] == (link.name.tokens, one.entity.meaning)
                ]
                sums.append(np.logaddexp.reduce(of_keys))
                assert one.score == pytest.approx(sums[-1], abs=2e-4)
            confidences = np.exp(np.array(sums) - np.logaddexp.reduce(sums))
            np.testing.assert_allclose([one.confidence for one in link.candidates], confidences, atol=2e-4)
            assert sums == sorted(sums, reverse=True)
    (said,) = [link for link in found[1] if link.name.stop == 7]
    assert [decode(one.entity.meaning) for one in said.candidates] == ["x"]
    assert said.candidates[0].confidence == pytest.approx(1.0)


def test_a_bar_leaves_out_what_is_less_likely(family: Family) -> None:
    sure = 1 / (1 + np.exp(-3.0))
    assert len(links(linker(family), ["ab c"], least=sure - 0.01)[0]) == 2
    assert links(linker(family), ["ab c"], least=sure + 0.01) == [[]]
    assert len(links(linker(family), ["ab c"], least=0.0)[0]) == 2
    assert links(linker(family), ["ab c"], least=1.0) == [[]]


def test_long_texts_are_read_around_the_mention(family: Family) -> None:
    far = "x " * 200
    (long,) = links(linker(family, longest=40), [f"{far}c {far}"])
    (link,) = long
    assert (link.name.start, link.name.stop) == (400, 401)
    read = linker(family, longest=40)._marked(f"{far}c {far}", link.name)
    assert "[START] c [END]" in read and len(family.key_model.codec.question(read)) <= 40
    assert links(linker(family, longest=5), ["c"]) == [[]], "what the model cannot read is no mention"
