"""Answers as a notebook and an IPython prompt show them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from chainwright_client import Answer, Client, Job
from chainwright_client.answers import answering
from chainwright_client.shown import as_text
from tests.support.browser import CHROMIUM, chromium

EVIL = "<script>alert(1)</script> & 'x'"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#x27;x&#x27;"
FIGURES = {"log_prob": -21.5, "log_prob_per_token": -2.15}
EDIT = {"start": 5, "end": 7, "old": "公圆", "new": "公园", "kind": "lookalike", "confidence": 0.934}
EXPLANATION = {
    "source": "misspelt",
    "mention": {"text": "上梅", "start": 0, "end": 2, "name": "上海", "misspelt": True},
    "features": [{"name": "subject", "contribution": 3.21}, {"name": "length", "contribution": -1.0}],
}
RESULT = {"text": "上海 人口", "values": ["2487万", EVIL], "confidence": 0.123, "explanation": EXPLANATION}
JOB = {
    "id": "job_<1>",
    "status": "in_progress",
    "priority": "bulk",
    "request_counts": {"total": 20, "completed": 11, "failed": 1},
    "seconds_left": 29.6,
    "created_at": 0.5,
    "expires_at": 9.0,
}
SHAPES: dict[str, Any] = {
    "texts": {"found": [{"text": EVIL, **FIGURES, "log_weight": -1.0}, {"text": "今天好。", **FIGURES}], "seed": 7},
    "variants": {
        "each": [{"source": EVIL, "kept": ["nothing"], "texts": [{"text": EVIL, **FIGURES, "overlap": 0.25}]}]
    },
    "edits": {"each": [{"source": "我们昨天去公圆散步。" + EVIL, "target": "", "edits": [EDIT]}]},
    "tokens": {
        "each": [{"text": EVIL, "tokens": [EVIL, " a\n"], "log_probs": [-0.5, -21.0], "ranks": [1, 9], **FIGURES}]
    },
    "answers": {"each": [{"query": EVIL, "results": [RESULT], "no_answer": True, "neighbours": [{"text": EVIL}]}]},
    "job": JOB,
}


TAGS = frozenset(
    ("div", "p", "small", "b", "ins", "del", "span", "br", "table", "thead", "tbody", "tr", "th", "td", "progress")
)


class Outline(HTMLParser):
    """Checks that what is opened is closed, in its turn, and that nothing runs or is fetched."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.styles: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= {"style", "lang", "scope", "value", "max", "aria-label"}
        self.open += [] if tag == "br" else [tag]
        self.styles += [value for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def html_of(fields: dict[str, Any]) -> str:
    html = Answer.model_validate(fields)._repr_html_()
    assert html is not None
    return html


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_escaped_and_well_formed(name: str) -> None:
    html = html_of(SHAPES[name])
    outline = Outline(html)
    assert name == "job" or ESCAPED in html
    assert not [style for style in outline.styles if "url" in style or style.startswith("color") or ";color" in style]


def test_words_of_the_request_are_bold_where_they_stand_as_words() -> None:
    request = {"words": [["dog", "dogs"], "park", "公园"], "not": "art", "lists": [{"in": ["5G"]}]}
    text = "Dogs part at the park: 公园 and doghouse 5G."
    answer = answering(Answer.model_validate({"found": [{"text": text, **FIGURES}]}), request)
    shown = answer._repr_html_()
    assert shown is not None
    assert "<b>Dogs</b> part at the <b>park</b>: <b>公园</b> and doghouse <b>5G</b>." in shown
    assert answer == Answer.model_validate(answer.model_dump()), "what was asked is no part of the answer"


@pytest.mark.parametrize(
    ("asked", "text", "fills", "shown"),
    [
        ("她给我___，我很___。", "她给我书，我很高兴。", ["书", "高兴"], "她给我[书]，我很[高兴]。"),
        ("书___", "书好书。", ["好书"], "书[好书]。"),
        ("the ____ dog", "the big, dog", ["big"], "the big, dog"),  # not as asked: nothing is marked
    ],
)
def test_fills_are_marked_where_the_blanks_were(asked: str, text: str, fills: list[str], shown: str) -> None:
    fields = {"found": [{"text": text, "fills": fills, **FIGURES}]}
    html = answering(Answer.model_validate(fields), {"text": asked})._repr_html_()
    assert html is not None
    assert shown.replace("[", "{+").replace("]", "+}") in as_text(html)


def test_edits_are_marked_and_said() -> None:
    html = html_of(SHAPES["edits"])
    assert "公圆</del><ins" in html and "公圆 → 公园" in html and "lookalike" in html and "93%" in html
    put_in = EDIT | {"start": 2, "end": 2, "old": "", "new": "的"}
    taken = EDIT | {"start": 2, "end": 4, "old": "昨天", "new": ""}
    for edit, text in ((put_in, "我们{+的+}昨天"), (taken, "我们[-昨天-]去")):
        html = html_of({"source": "我们昨天去", "target": "", "edits": [edit]})
        assert text in as_text(html)
    assert "+ 的" in html_of({"source": "我们昨天", "target": "", "edits": [put_in]})
    assert "nothing to mend" in html_of({"source": "a", "target": "a", "edits": []})


def test_no_tint_is_alone() -> None:
    html = html_of(SHAPES["tokens"])
    assert "−0.50 #1" in html and "−21.00 #9" in html and "a⏎" in html
    shallow, deep = (float(part.split(")")[0]) for part in html.split("rgba(224,112,32,")[1:])
    assert 0 < shallow < deep == 0.45


def test_answers_their_reasons_and_that_there_is_none() -> None:
    html = html_of(SHAPES["answers"])
    assert "No answer" in html and "12%" in html
    assert (
        "a misspelt name; the question has 上梅, for 上海" in " ".join(as_text(html).split())
        and "subject +3.2 nats" in html
        and "length" not in html
    )
    row = SHAPES["answers"]["each"][0]
    assert "No answer" not in html_of(row | {"no_answer": False})
    assert "no key was found" in html_of(row | {"results": []})


def test_a_job_says_how_far_it_is() -> None:
    said = Job.model_validate(JOB)._repr_mimebundle_()["text/plain"]
    assert "in_progress" in said and "12 of 20 items done, 1 failed, about 30 s left" in said and "job_<1>" in said


@pytest.mark.parametrize(
    "fields",
    [
        {"a": 1, "b": [1, 2], "c": [{"d": "e"}]},
        {"found": [{"text": 5, **FIGURES}]},
        {"query": "q", "results": 3, "no_answer": 0},
    ],
)
def test_what_has_no_shape_that_is_known_is_left_to_its_repr(fields: dict[str, Any]) -> None:
    answer = Answer.model_validate(fields)
    assert answer._repr_html_() is None and answer._repr_mimebundle_() == {}


@pytest.fixture(scope="module")
def answers(live: str) -> Iterator[dict[str, Any]]:
    """One of each task, with whatever it can have."""
    sampler = {"kind": "annealing", "chains": 2, "steps": 4}
    index = "shown"
    with Client(live) as client:
        client.build_index(index, ["今天\t天气\t晴", "今天\t时间\t早上"])
        client.wait_index(index)
        job = client.job_of("score", [{"texts": ["今天。"]}])
        (line,) = client.results(job)
        yield {
            "sentences": client.sentences(keywords=["今天", "公园"], samples=2, seed=1, sampler=sampler, trace="edits"),
            "infills": client.infills(text="我们今天去___。", seed=1, sampler=sampler),
            "paraphrases": client.paraphrases(texts=["我们今天去公园散步。"], seed=1, sampler=sampler),
            "corrections": client.corrections(texts=["我们今天去公园散步。", "今天。"]),
            "score": client.score(texts=["今天我去公园散步。"], top=3),
            "search": client.search(index=index, query="今天天气", explain=True, abstain=True),
            "job": client.wait(job),
            "line": line,
        }
        client.delete_index(index)


def test_answers_of_every_task_have_a_shape(answers: dict[str, Any]) -> None:
    said = {name: answer._repr_mimebundle_() for name, answer in answers.items()}
    for bundle in said.values():
        Outline(bundle["text/html"])
    plain = {name: " ".join(bundle["text/plain"].split()) for name, bundle in said.items()}
    for sentence in answers["sentences"].sentences:
        assert sentence.text in plain["sentences"]
    assert "<b>公园</b>" in said["sentences"]["text/html"] and "seed 1" in plain["sentences"]
    assert f"今天去{{+{answers['infills'].infills[0].fills[0]}+}}" in plain["infills"]
    assert "source 我们今天去公园散步。" in plain["paraphrases"] and "similarity" in plain["paraphrases"]
    assert all(result.text in plain["search"] for result in answers["search"].answers[0].results)
    assert "completed" in plain["job"] and "1 of 1 items done" in plain["job"]
    assert "今天" in plain["line"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_everyone_can_read_them_on_light_and_on_dark(answers: dict[str, Any]) -> None:
    shown = [*(answer._repr_html_() for answer in answers.values()), *map(html_of, SHAPES.values())]
    with sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_page()
        for ground, letters in (("#ffffff", "#000000"), ("#111111", "#e8e8e8")):
            style = f"background:{ground};color:{letters};font:14px sans-serif"
            body = f"<main><h1>answers</h1>{''.join(shown)}</main>"
            page.set_content(f'<html lang="en"><title>answers</title><body style="{style}">{body}</body></html>')
            found = Axe().run(page).response["violations"]
            assert not found, (ground, [(each["id"], each["nodes"][0]["html"]) for each in found])
