"""A sentence's score is the same to the last bit alone, in a crowd, in lanes, and from a kept prefix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from app.languages.registry import LANGUAGES, masks
from app.settings.settings import Settings
from models.language.forward.masked_output import Head
from models.language.loading import load
from models.language.scoring.kv_cache import Context, ScoredSentence, ScoreWork
from models.language.scoring.model import LoadedModel
from tests.support.tiny_model import CONFIGS, engine, vocabulary


@pytest.fixture(scope="module")
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def model(request: pytest.FixtureRequest, two_threads: None) -> LoadedModel:
    settings = Settings()
    loaded = load(
        cache=settings.cache_dir,
        progress=lambda what, share: None,
        precision=request.param,
        masks=masks(settings.rules()),
    )
    if not loaded.scorer.batch_invariant:
        pytest.skip("matrix products on this processor depend on the batch; the model's report says so")
    return loaded


def same(one: ScoredSentence, other: ScoredSentence) -> bool:
    return np.array_equal(one.log_probs, other.log_probs) and torch.equal(one.hidden, other.hidden)


@pytest.mark.parametrize("context", ["", "今天天气很好，我们决定出门走一走，看看", LANGUAGES["zh"].opening])
def test_bit_for_bit(model: LoadedModel, context: str) -> None:
    scorer, mask = model.scorer, model.vocabulary("zh")
    head: Head = scorer.head(mask)
    read: Context = scorer.context([model.begin, *model.tokenizer.encode(context)], head)
    rng = np.random.default_rng(1)

    def draw(length: int) -> tuple[int, ...]:
        return (*(int(mask.ids[k]) for k in rng.integers(0, mask.interior, length - 1)), mask.end_tokens[0])

    sentences = [draw(int(length)) for length in rng.integers(2, 40, 24)]
    crowd = scorer.score(read, head, sentences, [None] * len(sentences))
    assert all(same(one, scorer.score(read, head, [one.tokens], [None])[0]) for one in crowd)

    edits = []
    for sentence in sentences:
        at = int(rng.integers(len(sentence) - 1))
        edits.append((*sentence[:at], int(mask.ids[rng.integers(mask.interior)]), *sentence[at + 1 :]))
    from_base = scorer.score(read, head, edits, crowd)
    in_full = scorer.score(read, head, edits, [None] * len(edits))
    assert all(map(same, from_base, in_full))


def test_jobs_of_other_contexts_and_vocabularies_leave_no_trace(model: LoadedModel) -> None:
    scorer = model.scorer
    rng = np.random.default_rng(3)
    jobs = []
    for name, text in (("zh", ""), ("en", "The weather is fine, so we went out to"), ("zh", ""), ("zh", "昨天" * 30)):
        mask = model.vocabulary(name)
        head = scorer.head(mask)
        read = scorer.context([model.begin, *model.tokenizer.encode(text)], head)
        sentences = [
            tuple(int(mask.ids[k]) for k in rng.integers(0, mask.interior, length)) for length in rng.integers(1, 20, 9)
        ]
        jobs.append(ScoreWork(read, head, sentences, [None] * len(sentences)))
    together = scorer.score_jobs(jobs)
    apart = [scorer.score_jobs([job])[0] for job in jobs]
    assert all(same(one, other) for a, b in zip(together, apart, strict=True) for one, other in zip(a, b, strict=True))


def test_lanes_change_nothing_but_rounding(two_threads: None) -> None:
    mask = vocabulary(list(range(3, 30)), 20, 3)
    scorer, plain = engine(CONFIGS["gemma3-window"](), mask)
    assert scorer._lanes.count == 2
    head = scorer.head(mask)
    context = scorer.context((2, 5, 7), head)
    rng = np.random.default_rng(2)
    bases: list[ScoredSentence | None] = [None] * 30
    for _ in range(3):
        sentences = [tuple(int(t) for t in rng.integers(3, 30, rng.integers(1, 12))) for _ in bases]
        scored = scorer.score(context, head, sentences, bases)
        for one in scored:
            np.testing.assert_allclose(one.log_probs, plain.log_probs((2, 5, 7), one.tokens), atol=2e-5, rtol=0)
        bases = list(scored)


def test_lanes_and_all_threads_together_score_alike(model: LoadedModel) -> None:
    scorer, mask = model.scorer, model.vocabulary("zh")
    assert scorer._lanes.count == 2
    head = scorer.head(mask)
    context = scorer.context([model.begin], head)
    rng = np.random.default_rng(5)
    for count in (1, 3, 8, 40):
        sentences = [tuple(int(mask.ids[k]) for k in rng.integers(0, mask.interior, 8)) for _ in range(count)]
        ways = [scorer.score(context, head, sentences, [None] * count) for _ in range(2)]  # each way once
        edits = [(*tokens[:5], tokens[0], *tokens[6:]) for tokens in sentences]
        again = [scorer.score(context, head, edits, ways[0]) for _ in range(2)]
        for first, second in (ways, again):
            assert all(same(one, other) for one, other in zip(first, second, strict=True))


def test_an_error_in_a_lane_reaches_the_caller(two_threads: None) -> None:
    mask = vocabulary(list(range(3, 30)), 20, 3)
    scorer, _ = engine(CONFIGS["llama"](), mask)
    head = scorer.head(mask)
    context = scorer.context((2,), head)
    good = [(3, 4, 5, 6, 7, 8, 9, 10)] * 9
    with pytest.raises(ValueError, match="outside the vocabulary"):
        scorer.score(context, head, [*good, (3, 31, 4, 5)], [None] * 10)
    assert len(scorer.score(context, head, good, [None] * 9)) == 9
