"""The real default model: converted once, checked, and writing real sentences."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import Engine, open_engine
from app.sentences.schemas import SentencesRequest
from app.sentences.service import complete
from app.settings import Settings
from models.language import default_weights


@pytest.fixture(scope="module")
def folder() -> Path:
    return default_weights.default_weights(Settings().cache_dir, lambda what, share: None)


@pytest.fixture(scope="module")
def runner(folder: Path) -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def engine(runner: asyncio.Runner) -> Iterator[Engine]:
    context = open_engine(Settings(score_cache_memory=0), lambda what, share: None)
    yield runner.run(context.__aenter__())
    runner.run(context.__aexit__(None, None, None))


def test_a_damaged_file_is_noticed(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).symlink_to(file)
    assert default_weights._intact(copy)
    weights = copy / "model.safetensors"
    weights.unlink()
    weights.write_bytes((folder / weights.name).read_bytes())
    assert default_weights._intact(copy), "another time of change alone is no damage"
    config = (copy / "config.json").read_text("utf-8")
    (copy / "config.json").unlink()
    (copy / "config.json").write_text(config.replace("640", "641"), "utf-8")
    assert not default_weights._intact(copy)


@pytest.mark.parametrize(
    ("keywords", "vocabulary"),
    [
        (["今天", "公园", "散步"], "zh"),
        (["開放", "時間"], "zh-full"),
        (["5G", "网络"], "mixed"),
        ([["dog", "dogs"], ["run", "runs", "running"], "park"], "en"),
    ],
)
def test_sentences_hold_their_keywords(
    keywords: list[str | list[str]], vocabulary: str, engine: Engine, runner: asyncio.Runner
) -> None:
    request = SentencesRequest.model_validate(
        {"keywords": keywords, "samples": 3, "seed": 1, "sampler": {"kind": "annealing", "chains": 4, "steps": 12}}
    )
    answer = runner.run(complete(request, engine))
    assert answer.model.vocabulary == vocabulary
    assert answer.sentences
    for sentence in answer.sentences:
        words = sentence.text.strip(".!?").replace(",", " ").split() if vocabulary == "en" else sentence.text
        for forms in ([word] if isinstance(word, str) else word for word in keywords):
            assert any(form in words for form in forms)
    again = runner.run(complete(request, engine))
    assert [s.text for s in again.sentences] == [s.text for s in answer.sentences]
    assert [s.log_prob for s in again.sentences] == [s.log_prob for s in answer.sentences]


def test_a_fluent_sentence_is_likelier_than_a_shuffled_one(engine: Engine, runner: asyncio.Runner) -> None:
    from app.score.schemas import ScoreRequest
    from app.score.service import score

    request = ScoreRequest(texts=["今天我们去公园散步。", "散步公园去我们今天。"])
    fluent, shuffled = runner.run(score(request, engine)).scores
    assert fluent.log_prob > shuffled.log_prob + 5
