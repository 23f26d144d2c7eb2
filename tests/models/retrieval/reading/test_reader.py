"""Reading against enumeration: every span of a random passage, scored by a plain forward of the whole text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from models.language.scoring.scorer import CausalScorer
from models.retrieval.reading.form import Example, Form
from models.retrieval.reading.reader import Read, Reader
from models.retrieval.reading.spans import Span, key_text, spans_of
from models.retrieval.search.options import SearchOptions
from models.text.normalisation import normalise
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.reading.passages import PASSAGES
from tests.support import tiny_service

EXAMPLE = Example("the dog ran", [("who ran?", "the dog")])
FORM = Form("P:", "Q:", "A:", " ", ["who"], [EXAMPLE])
FORMS = {"with examples": FORM, "with an answer for none": FORM._replace(examples=[], none="—")}
QUESTIONS = st.sampled_from(["who ran in the park?", "公园在哪里？", "🙂?"])
LONGEST = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_service.save_with_bytes(tmp_path_factory.mktemp("reader"))


@pytest.fixture(scope="module")
def plain(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").float().eval()


@pytest.fixture(scope="module", params=FORMS)
def reader(request: pytest.FixtureRequest, folder: Path) -> Reader:
    scorer = CausalScorer(AutoModelForCausalLM.from_pretrained(folder).float().eval())
    return Reader(lambda: scorer, Tokenizer.from_file(str(folder / "tokenizer.json")), 2, FORMS[request.param])


def answers(reader: Reader, passage: str, questions: list[str], options: SearchOptions) -> list[Read]:
    index = reader.index(passage, spans_of(passage, LONGEST))
    found: dict[int, Read] = {}
    for done in reader.readings(index, questions, options, 2):
        found |= done
    return [found[number] for number in range(len(questions))]


def none_of(reader: Reader) -> tuple[int, ...] | None:
    """The key of the answer that the passage does not tell."""
    return tuple(reader.tokenizer.encode(f" {reader.form.none}").ids) if reader.form.none else None


def key(reader: Reader, passage: str, span: Span) -> tuple[int, ...]:
    return tuple(reader.tokenizer.encode(f" {key_text(passage[span.start : span.end])}").ids)


def enumerated(reader: Reader, plain: Any, passage: str, question: str) -> dict[tuple[int, ...], float]:
    """Renormalised log-prob of every answer by its tokens, the text before it read anew for each."""
    tokenizer = reader.tokenizer
    form = reader.form.opening() + reader.form.beginning(normalise(passage))
    before = [2, *tokenizer.encode(form).ids, *reader.codec.question(question)]
    texts = {key_text(passage[a:b]) for a, b in spans_of(passage, LONGEST)} | ({reader.form.none} - {""})
    index = DictIndex(tuple(tokenizer.encode(f" {text}").ids) for text in texts)
    end = tokenizer.encode("\n").ids[0]
    longest = max(map(len, index.keys), default=0)
    scores = {}
    for at in range(0, len(index), 64):
        keys = index.keys[at : at + 64]
        rows = torch.tensor([[*before, *key, *[0] * (longest - len(key))] for key in keys])
        with torch.inference_mode():
            logits = plain(rows, use_cache=False).logits[:, len(before) - 1 :].double()
        for key, row in zip(keys, logits, strict=True):
            total = 0.0
            for place, token in enumerate((*key, end)):
                allowed = index.next_tokens(key[:place], end)
                total += float(row[place, allowed].log_softmax(-1)[allowed.index(token)])
            scores[key] = total
    return scores


@settings(max_examples=15, deadline=None)
@given(passage=PASSAGES, question=QUESTIONS, n=st.integers(1, 4))
def test_exact_mode_gives_the_best_of_all_spans(
    reader: Reader, plain: Any, passage: str, question: str, n: int
) -> None:
    truth = enumerated(reader, plain, passage, question)
    (answer,) = answers(reader, passage, [question], SearchOptions(n=n, mode="exact", most_expansions=10_000))
    assert answer.proven
    best = sorted((score for its, score in truth.items() if its != none_of(reader)), reverse=True)[:n]
    np.testing.assert_allclose([span.score for span in answer.spans], best, atol=2e-4)
    for span in answer.spans:
        assert span.score == pytest.approx(truth[key(reader, passage, span.place)], abs=2e-4)
    if truth:
        assert np.exp(list(truth.values())).sum() == pytest.approx(1, abs=1e-4), "a law over the answers"


@settings(max_examples=10, deadline=None)
@given(passage=PASSAGES, questions=st.lists(QUESTIONS, min_size=2, max_size=3))
def test_a_wide_beam_gives_every_span_to_each_question(
    reader: Reader, plain: Any, passage: str, questions: list[str]
) -> None:
    truths = [enumerated(reader, plain, passage, question) for question in questions]
    wide = max(1, len(truths[0]))
    for truth, answer in zip(
        truths, answers(reader, passage, questions, SearchOptions(n=wide, beams=wide)), strict=True
    ):
        assert {key(reader, passage, span.place) for span in answer.spans} == set(truth) - {none_of(reader)}
        for span in answer.spans:
            assert span.score == pytest.approx(truth[key(reader, passage, span.place)], abs=2e-4)


def test_a_passage_is_read_once_for_all_its_questions(reader: Reader) -> None:
    passage, questions = "we ran in the park. the dog ran. " * 8, ["who ran?", "where?", "who ran in the park?"]
    options = SearchOptions(n=1, beams=1)
    answers(reader, passage, questions[:1], options)  # reads the examples
    usage = reader.scorer.usage
    before = usage.lm_tokens
    answers(reader, passage, questions[:1], options)
    alone = usage.lm_tokens - before
    before = usage.lm_tokens
    answers(reader, passage, questions, options)
    assert usage.lm_tokens - before < 2 * alone
    assert alone > len(reader.tokens(passage))
