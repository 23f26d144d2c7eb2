"""`chainwright train retrieval`: learns, shows itself, stops and goes on, and says how it was done."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import Result
from filelock import FileLock
from safetensors.torch import save_file
from typer.testing import CliRunner

from app.cli.main import cli
from models.retrieval.training.options import TrainingOptions
from tests.support import facts
from tests.support import tiny_service as tiny
from tests.support.variables import logging_as_before, set_variables

QUESTIONS = [
    ("今天的天气", "今天 ||| 天气 ||| 晴"),
    ("今天是早上", "今天 ||| 时间 ||| 早上"),
    ("城市公园的时间", "公园（城市） ||| 时间 ||| 上午"),
    ("学校公园的时间", "公园（学校） ||| 时间 ||| 晚上"),
    ("公园的朋友", "公园（学校） ||| 朋友 ||| 老师"),
    ("the food of dog", "dog ||| food ||| water"),
]
QUICK = ["--batch", "6", "--rank", "4", "--warmup", "2", "--evaluate-every", "3", "--save-every", "2"]


@pytest.fixture(autouse=True)
def environment(key_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_variables(
        monkeypatch,
        model="/nowhere/at/all",  # training must not load the model that samples
        retrieval_model=str(key_model_folder),
        state_dir=str(tmp_path / "state"),
        precision="float32",
    )
    monkeypatch.chdir(tmp_path)
    rows = [json.dumps({"question": question, "answer": answer}) for question, answer in QUESTIONS]
    (tmp_path / "train.jsonl").write_text("\n".join(rows), "utf-8")
    (tmp_path / "dev.jsonl").write_text("\n".join(rows), "utf-8")
    with logging_as_before():
        yield


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def train(folder: str, *options: str, code: int = 0) -> Result:
    return call("train", "retrieval", "train.jsonl", "dev.jsonl", folder, *QUICK, *options, code=code)


@pytest.mark.parametrize("family", ["causal", "encoder-decoder"])
def test_what_was_learnt_is_served(
    family: str, key_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if family == "encoder-decoder":
        folder = tiny.save_encoder_decoder(tmp_path / "t5", key_model_folder)
        monkeypatch.setenv("CHAINWRIGHT_RETRIEVAL_MODEL", str(folder))
    options = ["--epochs", "120", "--learning-rate", "5e-3", "--evaluate-every", "60", "--rank", "16"]
    options += ["--names", "4", "--predicates", "4", "--misspelt", "0"]
    done = train("out", *options)
    assert "step 120/120: dev language" in done.stderr and "best" in done.stderr
    assert "100.0% right" in done.stdout and "out/adapter" in done.stdout

    (tmp_path / "facts.tsv").write_text("\n".join(facts.LINES), "utf-8")
    call("index", "build", "town", "facts.tsv")
    monkeypatch.setenv("CHAINWRIGHT_RETRIEVAL_ADAPTER", "out/adapter")
    asked = [question for question, _ in QUESTIONS]
    answers = json.loads(call("search", "town", *asked, "--json").stdout)
    assert answers["model"]["adapter"] == "adapter" and answers["model"]["family"] == family
    found = [(one["results"][0]["text"], one["results"][0]["values"][0]) for one in answers["answers"]]
    truths = [answer.split(" ||| ") for _, answer in QUESTIONS]
    assert found == [(f"{subject} {predicate}", value) for subject, predicate, value in truths]


def test_the_card_tells_how_to_do_it_again(tmp_path: Path) -> None:
    options = ["--epochs", "5", "--dev-rows", "3", "--seed", "3", "--optimizer", "adafactor"]
    card = json.loads(train("out", *options, "--json").stdout)
    assert card == json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    assert card["train"]["used"] == 6 and card["dev"]["used"] == 3 and len(card["dev"]["sha256"]) == 64
    assert [row["step"] for row in card["evaluations"]] == [3, 5] and card["best"] in card["evaluations"]
    assert card["options"]["optimizer"] == "adafactor" and not card["stopped_by_dev"] and card["seconds"] > 0
    written = [path.read_text("utf-8") for path in (tmp_path / "out").rglob("*.json")]
    assert len(written) == 2 and not any(str(tmp_path.parent) in text for text in written)

    again = shlex.split(card["command"].replace("FOLDER", "again"))
    assert again[0] == "chainwright" and "--seed" in again and "--clip" not in again
    again[again.index("--model") + 1] = os.environ["CHAINWRIGHT_RETRIEVAL_MODEL"]
    call(*again[1:])
    files = [tmp_path / folder / "adapter" / "adapter_model.safetensors" for folder in ("out", "again")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_the_same_command_goes_on_where_it_was_ended(tmp_path: Path, number: signal.Signals) -> None:
    options = ["--epochs", "40", "--evaluate-every", "10", "--save-every", "7"]
    train("whole", *options)
    arguments = ["train", "retrieval", "train.jsonl", "dev.jsonl", "ended", *QUICK, *options]
    command = [sys.executable, "-c", "from app.cli.entry import main; main()", *arguments]
    root = Path(__file__).parents[4]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(root)}, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if line.startswith("step 10/40: dev"):
            process.send_signal(number)
    code, folder = process.wait(), tmp_path / "ended"
    assert code == (130 if number == signal.SIGINT else -number), seen
    assert not (folder / "card.json").exists()

    resumed = train("ended", *options)
    went_on = re.search(r"Goes on from the checkpoint of step (\d+) of 40", resumed.stderr)
    assert went_on is not None, resumed.stderr
    stopped = re.search(r"Stopped after step (\d+) of 40; the same command goes on", seen)
    if number == signal.SIGINT:
        assert stopped is not None and stopped[1] == went_on[1] and int(went_on[1]) >= 10, seen
    else:
        assert stopped is None and int(went_on[1]) % 7 == 0
    files = [tmp_path / name / "adapter" / "adapter_model.safetensors" for name in ("whole", "ended")]
    assert files[0].read_bytes() == files[1].read_bytes()
    cards = [json.loads((tmp_path / name / "card.json").read_text("utf-8")) for name in ("whole", "ended")]
    assert cards[0]["evaluations"] == cards[1]["evaluations"]


def error_of(result: Result) -> str:
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and ";" in errors[0], result.output
    return errors[0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--learning-rate", "0"], "--learning-rate"),
        (["--dropout", "1"], "--dropout"),
        (["--clip", "nan"], "--clip"),
        (["--model", "/nowhere/at/all"], "--model"),
    ],
)
def test_options_that_cannot_be_are_named(options: list[str], told: str) -> None:
    assert f"Error: {told}: " in error_of(train("out", *options, code=2))


def test_it_goes_on_from_an_adapter(tmp_path: Path) -> None:
    train("first", "--epochs", "30", "--evaluate-every", "15", "--learning-rate", "5e-3", "--shrink", "1")
    best = json.loads((tmp_path / "first" / "card.json").read_text("utf-8"))["best"]
    weights = (tmp_path / "first" / "adapter" / "adapter_model.safetensors").read_bytes()

    options = ["--adapter", "first/adapter", "--epochs", "1", "--learning-rate", "1e-9", "--rank", "8", "--shrink", "1"]
    card = json.loads(train("second", *options, "--json").stdout)
    assert card["options"]["rank"] == 4 and card["scale"] == 1  # its own, whatever is asked for
    assert card["best"]["language"] == pytest.approx(best["language"], abs=1e-3)  # kept in float16
    assert card["start"] == {"adapter": "adapter", "sha256": hashlib.sha256(weights).hexdigest()}
    assert "--adapter adapter" in card["command"] and str(tmp_path.parent) not in json.dumps(card)

    fresh = json.loads(train("third", "--epochs", "1", "--learning-rate", "1e-9", "--json").stdout)
    assert fresh["start"] is None and fresh["best"]["language"] > best["language"] + 0.1
    assert "Error: FOLDER: " in error_of(train("second", *options[2:], code=2))  # another start, another training


def test_the_scale_that_is_best_on_dev_is_kept(tmp_path: Path) -> None:
    rows = [json.dumps({"question": question, "answer": "学校 ||| 老师 ||| 朋友"}) for question, _ in QUESTIONS]
    (tmp_path / "dev.jsonl").write_text("\n".join(rows), "utf-8")  # nothing that can be learnt from train
    options = [
        "--epochs",
        "60",
        "--evaluate-every",
        "60",
        "--learning-rate",
        "5e-3",
        "--siblings",
        "0",
        "--shrink",
        "0.7",
    ]
    done = train("out", *options)
    card = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    losses = [scaled["language"] for scaled in card["scales"]]
    assert losses == sorted(losses) and {scaled["factor"] for scaled in card["scales"]} == {1, 0.9, 0.8, 0.7}
    assert card["scale"] == card["scales"][0]["factor"] < 1 and f"kept at {card['scale']} of its scale" in done.stdout
    config = json.loads((tmp_path / "out" / "adapter" / "adapter_config.json").read_text("utf-8"))
    assert config["lora_alpha"] == pytest.approx(32 * card["scale"])
    assert json.loads(train("out", *options, "--json").stdout)["scales"] == card["scales"]  # done already

    again = ["--adapter", "out/adapter", "--epochs", "1", "--learning-rate", "1e-9", "--shrink", "1"]
    kept = json.loads(train("again", *again, "--siblings", "0", "--json").stdout)
    assert kept["best"]["language"] == pytest.approx(losses[0], abs=1e-3)


def test_an_adapter_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    train("first", "--epochs", "1")
    other = error_of(train("out", "--adapter", "nowhere", code=2))
    assert "Error: --adapter: " in other and "no adapter that can be read" in other
    weights = tmp_path / "first" / "adapter" / "adapter_model.safetensors"
    save_file({"a": torch.zeros(1)}, weights)
    assert "another model" in error_of(train("out", "--adapter", "first/adapter", code=2))
    weights.write_bytes(b"half")
    assert "no adapter that can be read" in error_of(train("out", "--adapter", "first/adapter", code=2))


def test_every_option_is_offered_with_its_help() -> None:
    text = " ".join(call("train", "retrieval", "--help").stdout.replace("│", " ").split())
    for name, field in TrainingOptions.model_fields.items():
        assert f"--{name.replace('_', '-')} " in text
        assert field.description is not None and field.description.split()[0] in text


def test_files_and_folders_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    train("out", "--epochs", "2")
    assert "Error: FOLDER: " in error_of(train("out", "--epochs", "3", code=2))
    (tmp_path / "out" / "checkpoint.safetensors").write_bytes(b"half a checkpo")
    assert "is damaged" in error_of(train("out", "--epochs", "2", code=2))
    with FileLock(tmp_path / "out" / ".lock"):
        assert "is being trained into" in error_of(train("out", code=2))
    (tmp_path / "out" / "checkpoint.safetensors").unlink()
    (tmp_path / "train.jsonl").write_text('{"question": "今天", "answer": "今天"}', "utf-8")
    assert "Error: TRAIN: " in error_of(train("out", code=2)) and "line 1" in train("out", code=2).stderr
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": "今" * 600, "answer": "今天 ||| 天气 ||| 晴"}))
    assert "tokens" in error_of(train("out", code=2))
