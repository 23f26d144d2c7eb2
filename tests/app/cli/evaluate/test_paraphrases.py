"""Figures of an evaluation of paraphrases: what copying is worth, and texts that come back from tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.evaluate.paraphrases import Pair, ParaphrasesEvaluation, scores, summary, tokens_of, written_out
from app.tasks.paraphrases.schemas import TextParaphrases


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("is it   possible  ,  and how", "Is it possible, and how?"),
        ("i read pratchett   's novels", "I read pratchett's novels."),
        ("how do i know if i  ' ve met her", "How do I know if I've met her?"),
    ],
)
def test_tokens_are_written_out_and_come_back(tokens: str, text: str) -> None:
    assert written_out(tokens) == text
    assert tokens_of(text, True, "en") == tokens.replace("' ve", "'ve").replace("'ve", "' ve").split()


def test_units_are_the_languages_own() -> None:
    assert tokens_of("Don't go, Ann!", False, "auto") == ["don't", "go", "ann"]
    assert tokens_of("我们去3号楼。", False, "auto") == list("我们去3号楼")


def test_copying_has_a_self_bleu_of_100_and_ibleu_weighs_the_two() -> None:
    pytest.importorskip("sacrebleu")
    sources, references = ["a b c d e", "a b"], [["a b c d f"], ["x y"]]
    copied = scores(sources, references, sources)
    assert copied["self_bleu"] == pytest.approx(100) and copied["corpus_self_bleu"] == pytest.approx(100)
    assert copied["ibleu"] == pytest.approx(0.9 * copied["bleu"] - 10)
    assert copied["bleu"] == pytest.approx((100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25 + 0) / 2, abs=0.01)
    better = scores(["a b c d f", "x y"], references, sources)
    assert better["bleu"] == pytest.approx(100) and better["self_bleu"] < 50
    # Of several references the best n-grams of any count.
    assert scores(["x y"], [["a b", "x y"]], ["a b"])["bleu"] == pytest.approx(100)


def test_a_text_without_a_paraphrase_counts_as_nothing_said() -> None:
    pytest.importorskip("sacrebleu")
    pairs = [Pair(1, "it is a dog", ("it is a cat",)), Pair(2, "it is a park", ("a park it is",))]
    nothing = TextParaphrases.model_construct(source="It is a dog.", kept=["dog"], texts=[])
    evaluation = ParaphrasesEvaluation(Path("none"), None, {}, True, None)
    report = summary(pairs, ["It is a dog.", "It is a park."], [nothing, nothing], evaluation)
    assert report["paraphrased"] == 0 and report["similarity"] is None and report["kept"] is None
    assert report["paraphrases"]["bleu"] == 0 < report["copying"]["bleu"]
