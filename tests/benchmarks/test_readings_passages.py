"""Questions about passages: the same from the same seed, and answered by their passage or not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.readings_passages import SHARES, Half, made, of_part
from models.retrieval.demo import demo_triples


@pytest.mark.parametrize("half", ["dev", "test", "check"])
def test_an_answer_stands_in_its_passage_and_none_where_nothing_tells(half: Half) -> None:
    asked = [one for group in made(half, 40) for one in group]
    assert {one.case for one in asked} == {"object", "subject", "absent subject", "absent relation", "apart"}
    for one in asked:
        assert (one.answer is None) == (one.case not in ("object", "subject"))
        assert one.answer is None or one.answer in one.passage


def test_no_passage_of_one_half_is_of_the_other() -> None:
    passages = [{one.passage for group in made(half, 60) for one in group} for half in ("dev", "test")]
    assert not passages[0] & passages[1]


def test_every_subject_is_of_one_part() -> None:
    subjects = {one.subject for one in demo_triples()}
    parts = {part: {name for name in subjects if of_part(name, part)} for part in SHARES}
    assert set().union(*parts.values()) == subjects and sum(map(len, parts.values())) == len(subjects)
    assert min(map(len, parts.values())) > 200


def test_a_seed_draws_the_same_questions_in_every_process() -> None:
    code = "from benchmarks.readings_passages import made; print(made('test', 12))"
    drawn = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(drawn) == 1
