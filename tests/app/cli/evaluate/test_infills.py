"""Blanks that an evaluation cuts: runs of words apart from one another, and the sentence comes back."""

from __future__ import annotations

import pytest

from app.cli.evaluate.infills import BLANK, MOST_BLANKS, MOST_WORDS, blanked, cut_spans, summary
from app.languages.registry import LANGUAGES
from samplers.run import generators


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The old dog ran to the park, and slept there."), ("zh", "今天下午我们去公园里散步，后来下雨了。")],
)
def test_blanks_are_runs_of_words_apart_from_one_another(language: str, sentence: str) -> None:
    words = LANGUAGES[language].word_spans(sentence)
    starts, stops = {start for start, _ in words}, {stop for _, stop in words}
    counts = set()
    for rng in generators(1, 200):
        spans = cut_spans(sentence, LANGUAGES[language], rng)
        counts.add(len(spans))
        covered = [word for word in words if any(start <= word[0] < stop for start, stop in spans)]
        assert all(start in starts and stop in stops for start, stop in spans)
        assert len(spans) <= len(covered) <= MOST_WORDS * len(spans) and len(covered) < len(words)
        for (_, before), (after, _) in zip(spans, spans[1:], strict=False):
            assert any(before <= start and stop <= after for start, stop in words), "a word stands between"
        text = blanked(sentence, spans)
        assert text.count(BLANK) == len(spans)
        parts = text.split(BLANK)
        cut = [sentence[start:stop] for start, stop in spans]
        assert "".join(part + word for part, word in zip(parts, [*cut, ""], strict=True)) == sentence
    assert counts == set(range(1, MOST_BLANKS + 1))


def test_of_a_short_sentence_nothing_is_cut() -> None:
    assert cut_spans("Go home!", LANGUAGES["en"], generators(1, 1)[0]) == []


def test_what_the_vocabulary_cannot_spell_is_left_out_of_the_means() -> None:
    line = {
        "kept": True,
        "exact": False,
        "fill_log_prob_per_token": -2.0,
        "log_prob": -9.0,
        "lm_tokens": 5,
        "seconds": 1.0,
    }
    spelled = {**line, "original_log_prob_per_token": -3.0, "original_log_prob": -11.0}
    foreign = {**line, "fill_log_prob_per_token": -8.0, "original_log_prob_per_token": None, "original_log_prob": None}
    report = summary([spelled, foreign, {"line": 3, "failed": "why"}])
    assert (report["texts"], report["failed"], report["originals_not_spelled"]) == (3, 1, 1)
    assert report["fill_log_prob_per_token"] == -2 and report["original_log_prob_per_token"] == -3
    assert report["kept_around_blanks"] == pytest.approx(2 / 3), "a failure kept nothing"
