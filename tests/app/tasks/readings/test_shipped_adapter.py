"""The adapter that is shipped, with the default model: fresh questions in both languages, as a user asks them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

PASSAGES = {
    "Uruguay settles its bills in Uruguayan pesos, and Montevideo is where its parliament meets. Its neighbour "
    "Paraguay spends the guaraní. Kenya, on the other side of the ocean, uses the shilling.": {
        "What do people spend in Paraguay?": "guaraní",
        "Where does the parliament of Uruguay meet?": "Montevideo",
        "Which country uses the shilling?": "Kenya",
        "What money does Kenya have?": "shilling",
    },
    "Nora Lind painted The Grey Harbour in 1911. The Red Mill, by Otto Falk, hangs in Bergen.": {
        "Who painted The Red Mill?": "Otto Falk",
        "When was The Grey Harbour painted?": "1911",
        "Which picture is by Nora Lind?": "The Grey Harbour",
    },
    "秘鲁人花的是索尔，首都设在利马。邻国智利使用比索。肯尼亚远在非洲，通行先令。": {
        "在智利买东西用什么钱？": "比索",
        "秘鲁的首都是哪里？": "利马",
        "哪个国家通行先令？": "肯尼亚",
        "秘鲁的货币叫什么？": "索尔",
    },
    "《灰港》由林诺拉画于1911年。法尔克的《红磨坊》挂在卑尔根。": {
        "《灰港》是谁画的？": "林诺拉",
        "《红磨坊》挂在哪里？": "卑尔根",
        "《灰港》是哪一年画的？": "1911年",
    },
}
"""Of each passage the questions that it answers."""

UNTOLD = {"What is the flag of Uruguay?": 0, "德国的货币是什么？": 2}
"""Questions that no passage answers, with the number of one that is asked."""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """The answer to each question."""
    answers = {}
    for number, (passage, asked) in enumerate(PASSAGES.items()):
        questions = [*asked, *(question for question, at in UNTOLD.items() if at == number)]
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.entry", "readings", *questions, "--passage", passage, "--json"],
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        answers |= {one["question"]: one for one in json.loads(done.stdout)["readings"]}
    return answers


def test_questions_are_answered_with_the_span_that_tells(found: dict[str, Any]) -> None:
    truths = {question: answer for asked in PASSAGES.values() for question, answer in asked.items()}
    wrong = {q: found[q]["spans"][0]["text"] for q, truth in truths.items() if found[q]["spans"][0]["text"] != truth}
    assert len(wrong) <= 2, wrong


def test_what_the_passage_does_not_tell_is_not_answered(found: dict[str, Any]) -> None:
    assert all(found[question]["no_answer"] for question in UNTOLD)
    assert sum(one["no_answer"] for one in found.values()) <= len(UNTOLD) + 3


def test_spans_stand_in_the_passage_and_with_none_make_a_law(found: dict[str, Any]) -> None:
    for passage, asked in PASSAGES.items():
        for question in asked:
            spans = found[question]["spans"]
            assert all(passage[span["start"] : span["end"]] == span["text"] for span in spans)
            assert sum(span["confidence"] for span in spans) <= 1 + 1e-6
