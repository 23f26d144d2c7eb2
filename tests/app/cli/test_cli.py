"""The command line, through typer's runner."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.main import cli
from tests.support.variables import logging_as_before, set_variables

FAST = ["--chains", "3", "--steps", "8", "--seed", "7"]


@pytest.fixture(autouse=True)
def _environment(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_variables(monkeypatch, model=str(model_folder), cache_dir=str(tmp_path))
    with logging_as_before():
        yield


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_sentences_as_json_and_as_a_table() -> None:
    result = call("sentences", "今天", "公园", "--samples", "2", *FAST, "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["seed"] == 7 and len(answer["sentences"]) == 2
    assert (
        json.loads(call("sentences", "今天", "公园", "--samples", "2", *FAST, "--json").stdout)["sentences"]
        == (answer["sentences"])
    )
    table = call("sentences", "今天", "公园", "--samples", "2", *FAST)
    assert table.exit_code == 0 and answer["sentences"][0]["text"][:8] in table.stdout and "seed 7" in table.stdout


def test_completions_score_texts_and_write_nothing() -> None:
    result = call("completions", "A dog", "今天", "--logprobs", "1", "--json")
    assert result.exit_code == 0, result.output
    first, second = (choice["logprobs"] for choice in json.loads(result.stdout)["choices"])
    assert first["tokens"] == ["<bos>", "A", " dog"] and second["tokens"] == ["<bos>", "今天"]
    assert second["top_logprobs"][0] is None and second["token_logprobs"][1] < 0
    refused = call("completions", "the dog", "--max-tokens", "9")
    assert refused.exit_code == 2 and "--max-tokens" in refused.stderr and "/v1/infills" in refused.stderr


def test_watch_leaves_the_result_on_standard_output() -> None:
    result = call("sentences", "dog|dogs", "park", *FAST, "--watch", "--json")
    assert result.exit_code == 0, result.output
    assert "park" in json.loads(result.stdout)["sentences"][0]["text"]


def test_options_reach_the_request() -> None:
    result = call(
        *("sentences", "dog", "park", "--ordered", "--min", "6", "--max", "8", "--unit", "words", "--forbid", "cat"),
        *("--context", "big", "--kind", "annealing", "--schedule", "linear", "--select", "last", *FAST, "--json"),
    )
    assert result.exit_code == 0, result.output
    text = json.loads(result.stdout)["sentences"][0]["text"]
    assert text.index("dog") < text.index("park") and 6 <= len(text.split()) <= 8 and "cat" not in text


def test_a_context_is_a_text_or_of_a_kind() -> None:
    for options, context in (
        (["--context", "The dog", "--no-once", "--allow-copies"], "The dog"),
        (["--context-kind", "pool", "--rank-by", "consensus"], None),
    ):
        result = call("sentences", "dog", "park", *FAST, *options, "--json")
        assert result.exit_code == 0, result.output
        answer = json.loads(result.stdout)
        assert answer["model"]["context"] == context
        assert answer["constraints"] == ([] if context else ["no_copies", "once"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sentences", "今天", "公园😀"], "keywords[1]"),
        (["sentences", " "], "keywords[0]"),
        (["sentences", "dog", "--steps", "-1"], "--steps"),
        (["sentences", "dog", "--steps", "1000000"], "--steps"),
        (["sentences", "dog", "--chains", "0"], "--chains"),
        (["sentences", "dog", "--beta", "nan"], "--beta"),
        (["sentences", "dog", "--kind", "slice"], "--kind"),
        (["sentences", "dog", "--min", "9", "--max", "3"], "--min"),
        (["sentences", "dog", "--forbid", "dog"], "keywords[0]"),
        (["sentences", "dog", "--model", "/nowhere/at/all"], "CHAINWRIGHT_MODEL"),
        (["score", "dog😀"], "texts[0]"),
        (["score", "dog.", "--top", "21"], "--top"),
        (["serve", "--port", "99999999"], "CHAINWRIGHT_PORT"),
        (["serve", "--model", "/nowhere/at/all", "--port", "0"], "CHAINWRIGHT_MODEL"),
    ],
)
def test_errors_are_one_line_and_code_2(arguments: list[str], told: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and told in errors[0] and ";" in errors[0]
    assert "Traceback" not in result.output


def test_missing_argument_is_a_usage_error() -> None:
    assert call("sentences").exit_code == 2
    assert call("evaluate", "keywords", "nowhere.jsonl").exit_code == 2


def test_score() -> None:
    answer = json.loads(call("score", "the dog runs.", "the cat.", "--json").stdout)
    assert [score["text"] for score in answer["scores"]] == ["the dog runs.", "the cat."]
    assert answer["vocabulary"] == "en"
    assert "the cat." in call("score", "the cat.").stdout


def test_score_shows_the_likeliest_tokens() -> None:
    (score,) = json.loads(call("score", "the cat.", "--top", "2", "--json").stdout)["scores"]
    heading, _, *rows = call("score", "the cat.", "--top", "2").stdout.splitlines()
    assert "the cat." in heading
    for row, token, rank, top in zip(rows, score["tokens"], score["ranks"], score["top"], strict=True):
        shown, _, place, _, *likeliest = row.split()
        assert (shown, place) == (token.replace(" ", "␣"), str(rank))
        assert likeliest[::2] == [one["token"].replace(" ", "␣") for one in top]


def test_evaluate_keywords(tmp_path: Path) -> None:
    file, forms, output = tmp_path / "sets.jsonl", tmp_path / "forms.jsonl", tmp_path / "out.jsonl"
    lines = [
        {"concepts": ["dog", "walk"], "references": ["the dog walks.", "the gnu walks."]},
        {"concepts": ["cat", "eat"], "references": ["a cat eats food."]},
        {"concepts": ["dög"]},
        {"concepts": ["tree"]},
    ]
    accepted = [[["dog", "dogs"], ["walk", "walks"]], [["cat"], ["eat", "eats"]], [["dög"]], [["tree"]]]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    forms.write_text("\n".join(map(json.dumps, accepted)), "utf-8")
    result = call(
        *("evaluate", "keywords", str(file), "--forms", str(forms), "--limit", "3", "--chains", "2", "--steps", "5"),
        *("--output", str(output), "--json"),
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["sets"] == 3 and report["failed"] == 1 and report["coverage"] == pytest.approx(4 / 5)
    assert report["failures"][0]["line"] == 3 and "keywords[0][0]" in report["failures"][0]["reason"]
    assert report["references_scored"] + report["references_not_spelled"] == 3 and report["distinct"] == 1
    assert report["log_prob_per_token"] < 0 and report["reference_log_prob_per_token"] < 0
    assert report["seconds_per_sentence"] > 0 and report["steps_per_second"] > 0
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert len(written) == 3 and written[0]["covered"] == [True, True]


def test_infills_and_their_blanks() -> None:
    blanks = ("--blank", "cat", "--blank", '{"length": {"max": 2}}')
    result = call("infills", "The ___ ran to the ___.", *blanks, *FAST, "--json")
    assert result.exit_code == 0, result.output
    (infill,) = json.loads(result.stdout)["infills"]
    first, second = infill["fills"]
    assert infill["text"] == f"The {first} ran to the {second}." and "cat" in first and len(second.split()) <= 2
    for wrong, field in (("{x", "blanks[0]"), ('{"words": 3}', "blanks[0].words")):
        refused = call("infills", "The ___ ran.", "--blank", wrong)
        assert refused.exit_code == 2 and field in refused.stderr


@pytest.mark.parametrize("sampler", [{"kind": "annealing"}, {"kind": "metropolis", "beta": 1.0}, {"beta": 0.5}])
def test_evaluate_infills(tmp_path: Path, sampler: dict[str, Any]) -> None:
    file, output = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    lines = [
        {"reference": "the dog ran to the park."},
        {"references": ["a cat."]},
        {"reference": "今天我们去公园散步。"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    sampler = {"kind": "metropolis", **sampler, "chains": 2, "steps": 5}
    asked = [word for name, value in sampler.items() for word in (f"--{name}", str(value))]
    report = json.loads(call("evaluate", "infills", str(file), *asked, "--output", str(output), "--json").stdout)
    assert report["sampler"] == sampler
    assert report["texts"] == 2 and report["failed"] == 0 and report["kept_around_blanks"] == 1
    assert report["fill_log_prob_per_token"] < 0 and report["original_log_prob_per_token"] < 0
    assert report["originals_not_spelled"] == 0
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [line["line"] for line in written] == [1, 3] and all(line["kept"] for line in written)
    file.write_text('{"keywords": ["dog"]}', "utf-8")
    assert "no reference" in call("evaluate", "infills", str(file)).stderr


def test_paraphrases_and_what_they_keep() -> None:
    result = call("paraphrases", "The dog ran to the park.", "--keep", "dog", "--similarity", "model", *FAST, "--json")
    assert result.exit_code == 0, result.output
    (one,) = json.loads(result.stdout)["paraphrases"]
    assert one["source"] == "The dog ran to the park." and all("dog" in each["text"] for each in one["texts"])
    shown = call("paraphrases", "The dog ran to the park.", "--similarity", "model", *FAST)
    assert shown.exit_code == 0 and "The dog ran to the park." in shown.stdout
    refused = call("paraphrases", "The dog ran.", "--keep", "cat")
    assert refused.exit_code == 2 and "keep[0]" in refused.stderr


def test_evaluate_paraphrases(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu")
    file, output = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    lines = [
        {"source": "The dog ran to the park.", "reference": "The dog went to the park."},
        {"origin": "今天我们去公园散步。", "ref": "我们今天去公园。"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    options = ("--similarity", "model", "--limit", "1", "--output", str(output), "--json")
    report = json.loads(call("evaluate", "paraphrases", str(file), *options).stdout)
    assert report["texts"] == 1 and report["copying"]["self_bleu"] == pytest.approx(100)
    assert report["paraphrases"]["self_bleu"] < 100 and report["kept"] == report["numbers_kept"] == 1
    (written,) = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert written["line"] == 1 and written["source"] == lines[0]["source"] != written["text"]
    file.write_text('{"source": "dog"}', "utf-8")
    assert "with a reference" in call("evaluate", "paraphrases", str(file)).stderr


def test_corrections_and_their_pairs() -> None:
    given = ("他们是学生。", "--edit", "学生=老师们", "--kind", "listed", "--protect", "他们", "--confidence", "0")
    result = call("corrections", *given, "--alternatives", "9", "--json")
    assert result.exit_code == 0, result.output
    (one,) = json.loads(result.stdout)["corrections"]
    assert "他们是老师们。" in {one["target"], *(each["target"] for each in one["alternatives"])}
    shown = call("corrections", *given)
    assert shown.exit_code == 0 and "他们是" in shown.stdout and "of 1 texts changed" in shown.stderr
    for option, wrong, field in (("--edit", "学生", "edits[0].new"), ("--kind", "grammar", "kinds[0]")):
        refused = call("corrections", "他们。", option, wrong)
        assert refused.exit_code == 2 and field in refused.stderr


def test_evaluate_corrections(tmp_path: Path) -> None:
    file, output = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    pairs = [("他们是学生。", "他们是学生。"), ("今天早上学校有人。", "今天早上学校有人。"), ("他时人", "她是人")]
    lines = [json.dumps({"source": source, "target": target}) for source, target in pairs]
    file.write_text("\n".join(lines), "utf-8")
    report = json.loads(call("evaluate", "corrections", str(file), "--output", str(output), "--json").stdout)
    assert (report["texts"], report["right"]) == (3, 2) and 0 <= report["sentence"]["f1"] <= 1
    assert report["texts_per_second"] > 0
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [(line["line"], line["source"]) for line in written] == [
        (1, pairs[0][0]),
        (2, pairs[1][0]),
        (3, pairs[2][0]),
    ]
    file.write_text('{"source": "他", "targets": []}', "utf-8")
    assert "no source with a target" in call("evaluate", "corrections", str(file)).stderr


def test_evaluate_reads_files_as_people_have_them(tmp_path: Path) -> None:
    """In UTF-16 with a mark or gzipped, with blank lines, and separators of Unicode that end no line."""
    file, forms = tmp_path / "sets", tmp_path / "forms"
    lines = ['{"concepts": ["dog"], "reference": "a dog.\u2028\x85"}', "", '{"concepts": ["dög"]}']
    accepted = ['[["dog", "dogs"]]', "", '[["dög"]]']
    more = ("--chains", "1", "--steps", "1", "--json")
    file.write_bytes("\r\n".join(lines).encode("utf-16"))
    forms.write_bytes(gzip.compress("\n".join(accepted).encode()))
    result = call("evaluate", "keywords", str(file), "--forms", str(forms), *more)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["sets"] == 2 and [failure["line"] for failure in report["failures"]] == [3]
    for raw, told in (
        ('{"concepts": ["公园"]}\n{"concepts": ["今天"]}'.encode("gbk"), "--encoding gbk"),
        (b"\n\n{}", "sets:3: the line has neither"),
        (b'{"concepts": ["dog"], "references": "a dog"}', "sets:1: references must be"),
        (b"", "there are no lines"),
    ):
        file.write_bytes(raw)
        refused = call("evaluate", "keywords", str(file), *more)
        assert refused.exit_code == 2 and told in refused.stderr and len(refused.stderr.splitlines()) == 1
    file.write_bytes('{"concepts": ["今天"]}'.encode("gbk"))
    assert call("evaluate", "keywords", str(file), *more, "--encoding", "gbk").exit_code == 0
    assert "it is a folder" in call("evaluate", "keywords", str(tmp_path), *more).stderr


@pytest.mark.parametrize("content", ["{", '["dog"]', '{"words": ["dog"]}'])
def test_evaluate_names_the_bad_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sets.jsonl"
    file.write_text('{"keywords": ["dog"]}\n' + content, "utf-8")
    result = call("evaluate", "keywords", str(file))
    assert result.exit_code == 2 and "sets.jsonl:2" in result.stderr
