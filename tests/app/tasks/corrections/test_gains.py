"""What single edits gain, held against whole texts that a model reads afresh; and how sure they are."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.engine import Engine, open_engine
from app.engine.session import open_session
from app.settings.settings import Settings
from app.tasks.corrections.edit_odds import FLOOR, EditOdds, agreeing, features_of, odds
from app.tasks.corrections.edits import Edit, applied
from app.tasks.corrections.gains import GLANCE, HOPELESS, HORIZON, Gain, gains
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.proposals import Proposal, Proposing, places_of
from app.tasks.corrections.registry import CORRECTED
from models.odds import Odds
from tests.support import tiny_service as tiny

CHINESE = CORRECTED["zh"]
TEXTS = ["他们在公园里散步了，我在学校工作。", "我和你和你去看电影、吃饭", "她说说今天是晴天。"]
CONTEXT = "今天早上我们去公园。"
VOCABULARY = CHINESE.language.vocabularies([])[-1]


def with_engine(folder: Path, work: Callable[[Engine], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        settings = Settings(model=str(folder), redis_url="off", score_cache_memory=0, state_dir=folder / "state")
        async with open_engine(settings, lambda what, share: None) as engine:
            await work(engine)

    asyncio.run(run())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_with_bytes(tmp_path_factory.mktemp("tiny_gains"))


def test_gains_are_those_of_the_texts_read_whole(folder: Path) -> None:
    async def work(engine: Engine) -> None:
        session = await open_session(engine, VOCABULARY, CONTEXT, 100)
        vocabulary = session.output.vocabulary

        async def log_probs(text: str) -> np.ndarray:
            (scored,) = await session.score([vocabulary.spell(text)], [None])
            return np.asarray(scored.log_probs)

        skipped = 0
        for text in TEXTS:
            tokens = vocabulary.spell(text)
            (scored,) = await session.score([tokens], [None])
            (ranking,) = await session.rank([scored], 30)
            rows = (
                zip(t.tolist(), p.tolist(), strict=True) for t, p in zip(ranking.top, ranking.log_probs, strict=True)
            )
            places = places_of(tokens, scored.log_probs.tolist(), rows, vocabulary)
            assert "".join(text[place.start : place.end] for place in places) == text.replace("晴", "")  # of bytes
            proposals = list(CHINESE.propose(Proposing(text, places, ())))
            assert len(proposals) > 10
            found = await gains(session, vocabulary, text, scored, [each.edit for each in proposals])
            for proposal, gain in zip(proposals, found, strict=True):
                edit = proposal.edit
                given = text[: edit.end + HORIZON]
                written = applied([(edit.start, edit.end, edit.new)], given)
                before, after = await log_probs(given), await log_probs(written)
                if gain is None:
                    skipped += 1
                    glance = text[: edit.end + GLANCE]
                    after = await log_probs(applied([(edit.start, edit.end, edit.new)], glance))
                    assert after.sum() - (await log_probs(glance)).sum() < HOPELESS + 1e-4
                    continue
                assert gain.whole == pytest.approx(after.sum() - before.sum(), abs=1e-4)
                assert gain.tokens == len(after) - len(before)
        assert skipped > 3

    with_engine(folder, work)


def test_a_text_that_would_be_left_out_whole_has_no_gain(folder: Path) -> None:
    async def work(engine: Engine) -> None:
        session = await open_session(engine, VOCABULARY, CONTEXT, 100)
        vocabulary = session.output.vocabulary
        (scored,) = await session.score([vocabulary.spell("我")], [None])
        assert await gains(session, vocabulary, "我", scored, [Edit(0, 1, "", "redundant")]) == [None]

    with_engine(folder, work)


def test_places_are_those_of_whole_characters(folder: Path) -> None:
    async def work(engine: Engine) -> None:
        session = await open_session(engine, VOCABULARY, CONTEXT, 100)
        vocabulary = session.output.vocabulary
        text = "我鑫在"
        tokens = vocabulary.spell(text)
        assert len(tokens) > 3  # of bytes
        places = places_of(
            tokens, [-1.0] * len(tokens), [[(tokens[0], -1.0), (tokens[-1], -2.0)]] * len(tokens), vocabulary
        )
        assert [(place.start, place.end) for place in places] == [(0, 1), (2, 3)]
        assert places[0].likeliest == [("在", -2.0)] and places[1].likeliest == [("我", -1.0)]

    with_engine(folder, work)


def edit(start: int, end: int, new: str, kind: Kind = "missing") -> Edit:
    return Edit(start, end, new, kind)


def nothing(kind: Kind) -> float:
    return 0.0


def of_wrong_texts(weights: Mapping[str, float]) -> EditOdds:
    """As if every text had an error."""
    return EditOdds(Odds({"": 700.0}), Odds(weights))


def test_of_edits_that_touch_the_surest_is_made() -> None:
    by = of_wrong_texts({"": 0.0, "x": 1.0})
    single = [(edit(0, 0, "a"), {"x": 2.0}), (edit(1, 1, "b"), {"x": 3.0}), (edit(3, 4, ""), {"x": 1.0})]
    logistic = [1 / (1 + math.exp(-x)) for x in (3.0, 1.0)]
    assert agreeing([], single, nothing, by) == [(single[1][0], logistic[0]), (single[2][0], logistic[1])]
    assert agreeing([], single, lambda kind: 0.8, by) == [(single[1][0], logistic[0])]
    lattice = [(edit(1, 2, "c", "homophone"), 0.99), (edit(2, 3, "d", "homophone"), 0.97)]
    assert agreeing(lattice, single, nothing, by) == lattice
    weaker = [(each, 0.1) for each, _ in lattice]
    assert agreeing(weaker, single, nothing, by) == agreeing([], single, nothing, by)


def test_a_single_edit_that_is_hardly_likely_is_not_offered() -> None:
    single = [(edit(0, 0, "a"), {})]
    assert agreeing([], single, nothing, of_wrong_texts({"": math.log((FLOOR - 0.01) / (1.01 - FLOOR))})) == []
    assert agreeing([], single, nothing, of_wrong_texts({"": 1.0})) != []


def test_an_edit_is_as_sure_as_that_there_is_an_error_and_that_it_mends_it() -> None:
    by = EditOdds(Odds({"": 0.0, "text": 1.0}), Odds({"": 0.0, "gain": 2.0}))
    single = [(edit(0, 0, "a"), {"text": math.log(3), "gain": math.log(2)})]
    assert agreeing([], single, nothing, by) == [(single[0][0], pytest.approx(0.75 * 0.8))]


def test_every_weight_is_of_a_feature() -> None:
    """A feature that was renamed would lose its weight without a word."""
    text = "他的来"
    weights = {**odds().text.weights, **odds().edit.weights}
    assert set(odds().text.weights).isdisjoint(set(odds().edit.weights) - {""})
    ways = {name.removesuffix("*gain") for name in weights if name.endswith("*gain")}
    known = [(Proposal(edit(1, 2, ""), way), Gain(-1.0, -1.0, 1.0, 1.0, 1.0, 0)) for way in ways]  # type: ignore[arg-type]
    names = {name for _, features in features_of(text, -9.0, 3, known) for name in features}
    assert {name.partition(">")[0] for name in weights if name and ":" not in name} <= names


def test_what_gains_too_little_is_not_looked_at() -> None:
    known = [(Proposal(edit(1, 2, ""), "left_out"), Gain(0.0, -20.0, 0.0, 0.0, 0.0, 0))]
    assert list(features_of("他的来", -9.0, 3, known)) == []
