"""MetaQA's questions, their relations and marks, on a knowledge base of a few lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from benchmarks.metaqa import Marks, ceiling, evaluate, marks, prepare
from benchmarks.metaqa_questions import Question, label, read_keys, relations, split
from models.retrieval.examples import Example, read_examples
from models.retrieval.fact import Fact
from tests.support import tiny_service as tiny

DATA = Path(__file__).parents[3] / "shared" / "data" / "metaqa"
TRIPLES = [
    ("dog", "food", "water"),
    ("dog", "city", "park"),
    ("cat", "food", "water"),
    ("cat", "food", "tree"),
    ("man", "food", "book"),
    ("man", "city", "book"),
]
LINES = [
    "the food of [dog]\twater",
    "the food of [cat]\ttree|water",
    "the food of [man]\tbook",
    "[water] is on\tdog|cat",
]


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    path = tmp_path / "kb.tsv.gz"
    path.write_bytes(gzip.compress("".join("\t".join(triple) + "\n" for triple in TRIPLES).encode()))
    return path


def test_questions_and_keys(kb: Path) -> None:
    keys = read_keys(kb)
    assert keys["water"] == {"^food": ["dog", "cat"]} and keys["book"] == {"^food": ["man"], "^city": ["man"]}
    _, cat, man, water = map(Question.of, LINES)
    assert (water.text, water.entity, water.template) == ("water is on", "water", "[] is on")
    assert relations(keys, cat) == ["food"] and relations(keys, man) == ["food", "city"]
    assert Question.of("who is in [[REC]]\ta").entity == "[REC]"
    for line in ("no entity\ta", "[a] only", "a [] b\tc"):
        with pytest.raises(ValueError, match="entity"):
            Question.of(line)


def test_an_ambiguous_question_goes_with_its_template(kb: Path) -> None:
    keys = read_keys(kb)
    dog, cat, man, _ = map(Question.of, LINES)
    found = label([dog, man, cat], keys)
    assert found.pairs == [(dog, "food"), (man, "food"), (cat, "food")]
    assert (found.ambiguous, found.unresolved, found.unmatched) == (1, 0, 0)
    lone, wrong = Question.of("which is [man]\tbook"), Question.of("the food of [dog]\ttree")
    found = label([dog, lone, wrong], keys)
    assert (found.pairs, found.ambiguous, found.unresolved, found.unmatched) == ([(dog, "food")], 1, 1, 1)


def test_no_entity_is_on_both_sides_of_the_split() -> None:
    questions = [Question.of(f"{i % 3} of [{i % 50}]\tx") for i in range(200)]
    learnt, kept = split(questions, 0.3, seed=1)
    assert not {one.entity for one in learnt} & {one.entity for one in kept}
    assert len({one.entity for one in kept}) == 15 and len(learnt) + len(kept) == 200
    assert (learnt, kept) == split(questions, 0.3, seed=1) != split(questions, 0.3, seed=2)


def test_marks_and_ceiling(kb: Path) -> None:
    dog, cat, _, water = map(Question.of, LINES)
    questions = [dog, cat, water, water]
    assert marks(questions, [["water"], ["book", "tree"], ["cat", "dog"], []]) == Marks(50.0, 75.0, 50.0)
    lacking = [dog, Question.of("the food of [cat]\ttree"), Question.of("what of [nobody]\tx")]
    third = 100 / 3
    found = ceiling(lacking, read_keys(kb))
    assert [found.hits_at_1, found.any, found.equal] == pytest.approx([third, 2 * third, third])


def test_prepared_and_evaluated(kb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.save(tmp_path / "model", ["\n", "^"])
    for name, value in {"RETRIEVAL_MODEL": model, "STATE_DIR": tmp_path, "OFFLINE": 1, "TORCH_THREADS": 1}.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", str(value))
    (tmp_path / "questions.tsv").write_text("\n".join(LINES), "utf-8")
    counts = prepare(kb, tmp_path / "questions.tsv", tmp_path / "work", held_out=0.5, dev=1, seed=0)
    assert counts["held_out"] == 2 and counts["train"] + counts["dev"] + counts["unresolved"] == 2
    rows = [row for name in ("train", "dev") for row in (tmp_path / "work" / f"{name}.jsonl").read_text().splitlines()]
    assert len(rows) == counts["train"] + counts["dev"]
    for row in rows:
        subject, relation, value = json.loads(row)["answer"].split(" ||| ")
        assert value in read_keys(kb)[subject][relation] and "[" not in json.loads(row)["question"]
    assert CliRunner().invoke(cli, ["index", "build", "pets", str(kb), "--both-ends"]).exit_code == 0
    found = evaluate(kb, tmp_path / "work", "pets", None, seed=0)
    assert found["questions"] == found["kb_agrees"] == 2
    assert found["index"] == {"keys": 10, "values": 12}
    assert found["ceiling"] == {"hits_at_1": 100.0, "any": 100.0, "equal": 100.0}
    # The floor finds the entity, and of its relations the one most like the question.
    assert found["floor"]["all"] == {"hits_at_1": 100.0, "any": 100.0, "equal": 100.0}
    assert set(found["rows"]) == {"beam 1", "beam 3"}


@pytest.mark.skipif(not DATA.exists(), reason="the data for measuring is not here")
def test_metaqa_itself(tmp_path: Path) -> None:
    counts = prepare(DATA / "kb.tsv.gz", DATA / "1hop_dev.tsv", tmp_path, held_out=0.35, dev=300, seed=0)
    assert counts["questions"] == 9992 and counts["held_out"] > 3000 and counts["train"] > 4000
    assert counts["unmatched"] < 0.15 * (9992 - counts["held_out"]) and counts["unresolved"] < 100
    examples = read_examples(tmp_path / "train.jsonl")
    assert len(examples) == counts["train"]
    assert all(isinstance(one, Example) and isinstance(one.fact, Fact) and one.fact.name for one in examples)
