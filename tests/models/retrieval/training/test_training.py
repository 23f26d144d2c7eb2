"""Training: gradients reach the adapter only, a killed training resumes as if it had not been."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel

from models.retrieval.examples import Example, ExampleError, read_examples
from models.retrieval.fact import Fact
from models.retrieval.misspelt import misspell
from models.retrieval.training import checkpoint
from models.retrieval.training.adapter import CONFIG, WEIGHTS, Adapter
from models.retrieval.training.causal import CausalLearner
from models.retrieval.training.checkpoint import Checkpoint, CheckpointError, Position
from models.retrieval.training.learner import OutputLayer
from models.retrieval.training.loss import key_losses
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.sampled_index import Choices, IndexSampler
from models.retrieval.training.train import DivergedError, Report, Trainer
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.families import END, LETTERS, decode, encode
from tests.support.tiny_model import CONFIGS, SIZE, build

CODEC = KeyCodec.prefix_lm(encode, decode, 2, END)


def _examples(count: int, seed: int) -> list[Example]:
    """``name + predicate`` questions about random names, half of them with a meaning."""
    rng = np.random.default_rng(seed)
    drawn = ["".join(rng.choice(list(LETTERS[:12]), 3)) for _ in range(count)]
    predicates = ["".join(rng.choice(list(LETTERS[12:]), 2)) for _ in range(count)]
    return [
        Example(name + predicate, Fact(name, predicate, "m" if i % 2 else "", ""))
        for i, (name, predicate) in enumerate(zip(drawn, predicates, strict=True))
    ]


TRAIN, DEV = _examples(48, 1), _examples(12, 2)
OPTIONS = TrainingOptions(
    rank=4, batch=4, epochs=2, warmup=2, learning_rate=2e-2, save_every=3, evaluate_every=6, patience=100, dropout=0.1
)


def _learner(model: Any, options: TrainingOptions) -> CausalLearner:
    return CausalLearner(Adapter.attach(model, "tiny", "CAUSAL_LM", options))


def _trainer(folder: Path, options: TrainingOptions = OPTIONS, tell: Callable[[Report], None] | None = None) -> Trainer:
    learner = _learner(build(CONFIGS["llama"](), "sdpa").requires_grad_(False), options)
    return Trainer(learner, CODEC, TRAIN, DEV, folder, options, tell or (lambda report: None))


def _run(trainer: Trainer) -> Position:
    return trainer.run(trainer.resume())


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_a_killed_training_goes_on_as_if_it_had_not_been(tmp_path: Path, optimizer: Any) -> None:
    options = OPTIONS.model_copy(update={"optimizer": optimizer})
    whole = _trainer(tmp_path / "whole", options)
    _run(whole)

    def kill(report: Report) -> None:
        if report.step == 8 and not report.dev:
            raise _KilledError

    with pytest.raises(_KilledError):
        _run(_trainer(tmp_path / "killed", options, kill))
    steps: list[int] = []
    resumed = _trainer(tmp_path / "killed", options, lambda report: steps.append(report.step))
    position = _run(resumed)
    assert steps[0] == 7, "from the checkpoint of step 6 on"
    assert position.step == whole.steps == 24
    _assert_equal(whole, resumed)


def _assert_equal(a: Trainer, b: Trainer) -> None:
    """The same parameters and the same file, to the last bit."""
    for name, p in a.learner.adapter.state.items():
        assert torch.equal(p, b.learner.adapter.state[name]), name
    weights = [(trainer.folder / "adapter" / WEIGHTS).read_bytes() for trainer in (a, b)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("when", ["in a step", "in an evaluation"])
def test_a_training_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, when: str) -> None:
    whole = _trainer(tmp_path / "whole")
    _run(whole)
    stopped = _trainer(tmp_path / "stopped")
    steps: list[int] = []
    # Step 12 is evaluated, so a wish that comes with it comes before the first forward on dev.
    wish = 11 if when == "in a step" else 12
    stopped.on_report = lambda report: steps.append(report.step)
    stopped.stopping = lambda: steps[-1:] == [wish]
    position = _run(stopped)
    assert position.step == wish and not stopped.over(position) and position.judged == 6
    resumed = _trainer(tmp_path / "stopped")
    begun = resumed.resume()
    assert (begun.step, begun.judged, len(begun.evaluations)) == (wish, 6, 1)
    position = resumed.run(begun)
    assert resumed.over(position) and [row["step"] for row in position.evaluations] == [6, 12, 18, 24]
    assert position.seconds > begun.seconds > 0
    _assert_equal(whole, resumed)
    assert _run(_trainer(tmp_path / "stopped")) == position, "nothing is left to do"


def test_training_lowers_both_losses_on_questions_not_seen(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, TrainingOptions(rank=8, batch=4, epochs=6, warmup=2, learning_rate=1e-2))
    before, base = trainer.evaluate(), copy.deepcopy(trainer.learner.adapter.base.get_decoder().norm.weight)
    _run(trainer)
    after = trainer.evaluate()
    assert after.language < before.language - 0.3
    assert after.siblings < before.siblings - 0.3
    assert torch.equal(base, trainer.learner.adapter.base.get_decoder().norm.weight)


def test_the_saved_adapter_is_the_trained_one(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    _run(trainer)
    best = trainer.evaluate()
    trainer.learner.adapter.save(tmp_path / "again")
    loaded = PeftModel.from_pretrained(build(CONFIGS["llama"](), "sdpa"), str(tmp_path / "again"))
    trainer.learner = CausalLearner(Adapter(loaded, "tiny"))
    again = trainer.evaluate()
    torch.testing.assert_close(again.language, best.language, atol=5e-3, rtol=0)
    files = sorted((tmp_path / "adapter").iterdir())
    assert [path.name for path in files] == [CONFIG, WEIGHTS]
    assert files[0].stat().st_mode == files[1].stat().st_mode, "safetensors by itself would hide it from others"
    config = json.loads((tmp_path / "adapter" / CONFIG).read_text("utf-8"))
    assert config["base_model_name_or_path"] == "tiny"
    assert not [value for value in config.values() if isinstance(value, str) and "/" in value]


def test_training_stops_when_dev_does_not_get_better(tmp_path: Path) -> None:
    options = TrainingOptions(rank=2, batch=4, epochs=50, learning_rate=0.5, evaluate_every=2, patience=2, warmup=0)
    trainer = _trainer(tmp_path, options)
    position = _run(trainer)
    assert position.stale == 2
    assert position.step < trainer.steps


def test_another_training_does_not_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    _run(_trainer(tmp_path))
    with pytest.raises(CheckpointError, match="other options"):
        _trainer(tmp_path, OPTIONS.model_copy(update={"seed": 1})).resume()
    other = build(CONFIGS["llama"](), "sdpa").requires_grad_(False)
    other.get_input_embeddings().weight.mul_(2)
    with pytest.raises(CheckpointError, match="another model"):
        Trainer(_learner(other, OPTIONS), CODEC, TRAIN, DEV, tmp_path, OPTIONS).resume()


@pytest.mark.parametrize("damage", ["cut", "empty", "no tensors", "a bit", "a bit of the head", "pickle"])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, damage: str) -> None:
    state = {"a": torch.arange(6.0).reshape(2, 3)}
    whole = Checkpoint(Position(3, 2, 0.5, 1, 7.25, [{"step": 2}]), state, {0: {"step": torch.tensor(3.0)}})
    checkpoint.save_checkpoint(tmp_path, "a", whole)
    found = checkpoint.load_checkpoint(tmp_path, "a")
    assert found is not None and found.position == whole.position
    assert torch.equal(found.adapter["a"], state["a"]) and found.optimizer[0]["step"] == 3
    path = tmp_path / checkpoint.NAME
    content = bytearray(path.read_bytes())
    at = len(content) - 10 if damage == "a bit" else content.index(b"judged") + 10
    if damage == "cut":
        del content[-5:]
    elif damage == "empty":
        content.clear()
    elif damage == "no tensors":
        content = bytearray(safetensors.torch.save({}))
    elif damage == "pickle":
        content = bytearray(pickle.dumps({"position": 3}))
    else:
        content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="delete it"):
        checkpoint.load_checkpoint(tmp_path, "a")


def test_a_kill_while_writing_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save_checkpoint(tmp_path, "a", Checkpoint(Position(1), {"a": torch.ones(2)}, {}))

    def half(handle: int) -> None:
        os.ftruncate(handle, os.fstat(handle).st_size - 3)
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", half)
        with pytest.raises(_KilledError):
            checkpoint.save_checkpoint(tmp_path, "a", Checkpoint(Position(2), {"a": torch.ones(2)}, {}))
    found = checkpoint.load_checkpoint(tmp_path, "a")
    assert found is not None and found.position.step == 1
    checkpoint.save_checkpoint(tmp_path, "a", Checkpoint(Position(3), {"a": torch.ones(2)}, {}))
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]


def test_a_loss_that_is_no_number_ends_training_and_is_not_saved(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)

    def poison(report: Report) -> None:
        if report.step == 7:
            with torch.no_grad():
                trainer.learner.adapter.parameters[0].fill_(torch.nan)

    trainer.on_report = poison
    with pytest.raises(DivergedError, match="learning_rate"):
        _run(trainer)
    assert _trainer(tmp_path).resume().step == 6


def test_questions_that_cannot_be_learnt_from_are_named(tmp_path: Path) -> None:
    learner = _trainer(tmp_path).learner
    for wrong, why in (
        ([], "at least one question"),
        ([Example("a" * 600, TRAIN[0].fact)], "602 tokens"),
        ([Example("abc", Fact("a\nb", "c", "", ""))], "holds the separator"),
    ):
        with pytest.raises(ExampleError, match=re.escape(why)):
            Trainer(learner, CODEC, wrong, DEV, tmp_path, OPTIONS)


def test_losses_are_what_they_say() -> None:
    torch.manual_seed(0)
    hidden, output = torch.randn(5, 8), torch.randn(SIZE, 8)
    batch = [Choices((7, END), ((7, 9), (END,))), Choices((8, 3, END), ((8,), (3, 5, 6), (END, 4)))]
    vocabulary = torch.tensor([END, 3, 4, 7, 8])
    bias = torch.randn(SIZE)
    found = key_losses(hidden, OutputLayer(output, bias, 2.0), vocabulary, batch)
    logits = 2 * torch.tanh((hidden @ output.T + bias) / 2)
    wide = logits[:, vocabulary].log_softmax(-1)
    tokens = [7, END, 8, 3, END]
    expected = -sum(wide[i, vocabulary.tolist().index(token)] for i, token in enumerate(tokens)) / 5
    torch.testing.assert_close(found.language, expected)
    rows = [(0, (7, 9)), (3, (3, 5, 6)), (4, (END, 4))]
    near = {i: logits[i, list(tokens)].log_softmax(-1) for i, tokens in rows}
    torch.testing.assert_close(found.siblings, -(near[0][0] + near[3][0] + near[4][0]) / 2)
    right = [bool(near[0][0] == near[0].max()), all(near[i][0] == near[i].max() for i in (3, 4))]
    assert found.right.item() == sum(right) / 2


@given(seed=st.integers(0, 500), which=st.integers(0, len(TRAIN) - 1))
def test_sampled_neighbours_are_what_an_index_would_allow(seed: int, which: int) -> None:
    sampler = IndexSampler(CODEC, [example.fact for example in TRAIN], names=10, predicates=20)
    choices = sampler.sample(TRAIN[which], np.random.default_rng(seed))
    assert choices.key == (*CODEC.key(TRAIN[which].fact.parts), END)
    for token, allowed in zip(choices.key, choices.allowed, strict=True):
        assert allowed[0] == token
        assert len(set(allowed)) == len(allowed)


@given(name=st.text("abc", min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_a_misspelling_is_one_edit_away(name: str, seed: int) -> None:
    other = misspell(name, "abcd", np.random.default_rng(seed))
    assert other and other != name
    assert abs(len(other) - len(name)) <= 1
    if len(other) == len(name):
        assert sum(a != b for a, b in zip(name, other, strict=True)) <= 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no json", "line 2"),
        (json.dumps({"question": "q"}), "line 2"),
        (json.dumps({"question": "q", "answer": "s ||| p"}), "line 2"),
        (json.dumps({"question": " ", "answer": "s ||| p ||| o"}), "not empty"),
        (json.dumps({"question": 1, "answer": "s ||| p ||| o"}), "texts"),
        (json.dumps({"question": "q", "answer": 3}), "line 2"),
    ],
)
def test_malformed_examples_are_named(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "rows.jsonl"
    good = json.dumps({"question": "q", "answer": "s（m） ||| p ||| o ||| o"}, ensure_ascii=False)
    path.write_text(f"{good}\n", "utf-8")
    assert read_examples(path) == [Example("q", Fact("s", "p", "m", "o ||| o"))]
    path.write_text(f"{good}\n{line}\n", "utf-8")
    with pytest.raises(ExampleError, match=why):
        read_examples(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rank", 0), ("learning_rate", -1.0), ("misspelt", 1.0), ("siblings", -0.1), ("optimizer", "sgd")],
)
def test_options_out_of_range_are_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        TrainingOptions(**{name: value})
