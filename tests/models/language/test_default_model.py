"""The real default model: converted once, checked, and writing real sentences."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.engine import Engine, open_engine
from app.settings.settings import Settings
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences
from app.tasks.score.schemas import ScoreRequest
from app.tasks.score.score import score, spell
from models.language import default_weights

DATA = Path(__file__).parents[4] / "shared" / "data"


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


def stands(form: str, text: str, spaced: bool) -> bool:
    """Whether a form is in a text, in English with no letter or digit beside it."""
    edge = r"[A-Za-z0-9]" if spaced else "(?!)"
    return re.search(f"(?<!{edge}){re.escape(form)}(?!{edge})", text) is not None


@pytest.mark.parametrize(
    ("keywords", "vocabulary"),
    [
        (["今天", "公园", "散步"], "zh"),
        (["開放", "時間"], "zh-full"),
        (["5G", "网络"], "mixed"),
        ([["dog", "dogs"], ["run", "runs", "running"], "park"], "en"),
        (["5G", "phone"], "en-wide"),
        (["a.m.", "meeting"], "en"),
        (["U.S.-based", "company"], "en"),
        (["Who am I?", "asked"], "en"),
        (["I, Robot", "film"], "en"),
        ([["dog", "Dog"], "park"], "en"),
        (["等一等……", "他"], "zh"),
        (["等等——", "走"], "zh"),
        (["ＡＩ手机", "５Ｇ"], "mixed"),
        (["《三体》", "3.5%"], "zh"),
        (["A/B测试", "效果"], "mixed-wide"),
    ],
)
def test_sentences_hold_their_keywords(
    keywords: list[str | list[str]], vocabulary: str, engine: Engine, runner: asyncio.Runner
) -> None:
    sampler = {"kind": "annealing", "chains": 2, "steps": 8, "start": "drafts"}
    request = SentencesRequest.model_validate({"keywords": keywords, "samples": 3, "seed": 1, "sampler": sampler})
    answer = runner.run(Sentences().run(request, engine))
    assert answer.model.vocabulary == vocabulary
    assert answer.sentences
    for sentence in answer.sentences:
        for forms in ([word] if isinstance(word, str) else word for word in request.keywords):
            assert any(stands(form, sentence.text, vocabulary.startswith("en")) for form in forms), sentence.text
        assert "Dog" not in sentence.text[1:]


def test_the_same_seed_gives_the_same_sentences(engine: Engine, runner: asyncio.Runner) -> None:
    request = SentencesRequest.model_validate(
        {
            "keywords": ["公园", "5G"],
            "samples": 3,
            "seed": 1,
            "sampler": {"kind": "annealing", "chains": 4, "steps": 12},
        }
    )
    first, again = runner.run(Sentences().run(request, engine)), runner.run(Sentences().run(request, engine))
    assert first.sentences and again.sentences == first.sentences


def test_a_fluent_sentence_is_likelier_than_a_shuffled_one(engine: Engine, runner: asyncio.Runner) -> None:
    request = ScoreRequest(texts=["今天我们去公园散步。", "散步公园去我们今天。"])
    fluent, shuffled = runner.run(score(request, engine)).scores
    assert fluent.log_prob > shuffled.log_prob + 5


ENGLISH_TEXTS = """
I have 3 dogs.
He was born in 1984.
The meeting is at 10:30.
Sales grew by 3.5% (or 7 units).
Call 555-0199, ext. 12!
It costs $5.99; that's £4.20 or €4.75.
She lives at 221B Baker St., London.
The café serves crème brûlée.
“Who’s there?” he asked — twice…
Open 24/7, rain or shine.
E = mc² isn't hard.
He’d read ‘Emma’ in the 1990s.
Windows 11 & Office [2021] @ home #1.
Naïve Zoë met Søren in Kraków.
Version 2.0.1 fixes {all} of it: 50/50?
2 + 2 = 4, isn't it?
""".strip().split("\n")
CHINESE_TEXTS = """
他花了3.5元买了一本《红楼梦》。
我们做了A/B测试，效果不错！
等一等……我还没准备好——真的。
（北京）今天气温25℃。
iPhone 15的价格是5999元。
“你好”，他说：‘再见’。
他说(很小声)：“OK!”
会议定于2026年11月28日10:30召开。
""".strip().split("\n")


@pytest.mark.parametrize("text", ENGLISH_TEXTS + CHINESE_TEXTS)
def test_what_people_write_can_be_scored(text: str, engine: Engine) -> None:
    spelled = spell(ScoreRequest(texts=[text]), engine.model, engine.limits)[0]
    assert spelled.vocabulary.decode(spelled.tokens) == text


@pytest.mark.skipif(not DATA.is_dir(), reason="no measuring data beside this checkout")
@pytest.mark.parametrize(
    ("file", "members"),
    [
        ("commongen/dev.jsonl", ["references"]),
        ("grammar_en/jfleg_dev.jsonl", ["source", "targets"]),
        ("keywords_zh/dev.jsonl", ["reference"]),
        ("grammar_zh/mucgec_dev.jsonl", ["targets"]),
    ],
)
def test_real_texts_can_be_scored(file: str, members: list[str], engine: Engine) -> None:
    rows = [json.loads(line) for line in (DATA / file).read_text("utf-8").split("\n") if line]
    given = [row[member] for row in rows for member in members]
    texts = [text for texts in given for text in ([texts] if isinstance(texts, str) else texts) if text.strip()]
    for start in range(0, len(texts), 500):
        spell(ScoreRequest(texts=texts[start : start + 500]), engine.model, engine.limits)
