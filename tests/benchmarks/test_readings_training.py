"""Passages of the training of readings: of no subject that is measured on, and answered as they say."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.readings_passages import WORDINGS, of_part
from benchmarks.readings_training_passages import WORDS, training_passages
from models.retrieval.demo import demo_triples

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_every_relation_has_wordings_of_its_own_in_both_languages() -> None:
    for language in ("zh", "en"):
        relations = {one.predicate for one in demo_triples()} & WORDINGS[language]["dev"]["sentences"].keys()
        assert len(relations) == 12
        for told in ("sentences", "questions", "reversed"):
            assert WORDS[language][told].keys() == relations and min(map(len, WORDS[language][told].values())) >= 4


def test_training_keeps_away_from_what_is_measured_on() -> None:
    if not DATA.is_dir():
        pytest.skip("../shared/data is not here")
    measured = {one.subject for one in demo_triples() if not of_part(one.subject, "train")}
    groups = list(islice(training_passages(DATA, random.Random(0)), 200))
    near = [one for group in groups for one in group if one.relation in WORDS[one.language]["nouns"]]
    assert {one.language for one in near} == {"zh", "en"} and len(near) > 500
    asked = {one.answer for one in near if one.case == "subject"}
    assert not asked & measured
    for one in (one for group in groups for one in group):
        assert (one.answer is None) == (one.case not in ("object", "subject"))
        # A clause that begins a sentence begins with a capital letter.
        assert one.answer is None or one.answer.lower() in one.passage.lower()
    again = islice(training_passages(DATA, random.Random(0)), 5)
    assert list(again) == groups[:5]
