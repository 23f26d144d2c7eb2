"""A sentence's score is the same to the last bit alone, in a crowd, and from a kept prefix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple

import numpy as np
import pytest
import torch

from app.languages.registry import LANGUAGES, masks
from app.settings.settings import Settings
from models.language.forward.masked_output import MaskedOutput
from models.language.loading import load
from models.language.scoring.kv_cache import Context, ScoredSentence
from models.language.scoring.model import LoadedModel
from models.language.scoring.rankings import Rankings
from models.language.scoring.work import Scores


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
    if not loaded.scorer.forward.batch_invariant:
        pytest.skip("matrix products on this processor depend on the batch; the model's report says so")
    return loaded


def same(one: ScoredSentence, other: ScoredSentence) -> bool:
    return np.array_equal(one.log_probs, other.log_probs) and torch.equal(one.hidden, other.hidden)


@pytest.mark.parametrize("context", ["", "今天天气很好，我们决定出门走一走，看看", LANGUAGES["zh"].opening])
def test_bit_for_bit(model: LoadedModel, context: str) -> None:
    scorer, mask = model.scorer, model.vocabulary("zh")
    output: MaskedOutput = scorer.forward.output(mask)
    read: Context = scorer.context([model.begin, *model.tokenizer.encode(context)], output)
    rng = np.random.default_rng(1)

    def draw(length: int) -> tuple[int, ...]:
        return (*(int(mask.ids[k]) for k in rng.integers(0, mask.interior, length - 1)), mask.end_tokens[0])

    sentences = [draw(int(length)) for length in rng.integers(2, 40, 10)]
    crowd = scorer.score(read, output, sentences, [None] * len(sentences))
    assert all(same(one, scorer.score(read, output, [one.tokens], [None])[0]) for one in crowd)

    edits = []
    for sentence in sentences:
        at = int(rng.integers(len(sentence) - 1))
        edits.append((*sentence[:at], int(mask.ids[rng.integers(mask.interior)]), *sentence[at + 1 :]))
    from_base = scorer.score(read, output, edits, crowd)
    in_full = scorer.score(read, output, edits, [None] * len(edits))
    assert all(map(same, from_base, in_full))


def test_tokens_are_ranked_alone_as_in_a_crowd(model: LoadedModel) -> None:
    """Of more tokens than PyTorch sums in one thread."""
    scorer, mask = model.scorer, model.vocabulary("en")
    output = scorer.forward.output(mask)
    read = scorer.context([model.begin], output)
    rng = np.random.default_rng(2)
    texts = [tuple(int(token) for token in rng.choice(mask.ids, length)) for length in (1, 2, 9, 1, 3)]
    crowd = Rankings(output, scorer.score(read, output, texts, [None] * len(texts)), 5)
    for text, ranking in zip(texts, crowd.run([crowd])[0], strict=True):
        alone = Rankings(output, scorer.score(read, output, [text], [None]), 5)
        for ours, others in zip(astuple(ranking), astuple(alone.run([alone])[0][0]), strict=True):
            np.testing.assert_array_equal(ours, others)


def test_jobs_of_other_contexts_and_vocabularies_leave_no_trace(model: LoadedModel) -> None:
    scorer = model.scorer
    rng = np.random.default_rng(3)
    works = []
    for name, text in (("zh", ""), ("en", "The weather is fine, so we went out to"), ("zh", ""), ("zh", "昨天" * 30)):
        mask = model.vocabulary(name)
        output = scorer.forward.output(mask)
        read = scorer.context([model.begin, *model.tokenizer.encode(text)], output)
        sentences = [
            tuple(int(mask.ids[k]) for k in rng.integers(0, mask.interior, length)) for length in rng.integers(1, 20, 9)
        ]
        works.append(Scores(scorer, read, output, sentences, [None] * len(sentences)))
    together = scorer.score_together(works)
    apart = [scorer.score_together([work])[0] for work in works]
    assert all(same(one, other) for a, b in zip(together, apart, strict=True) for one, other in zip(a, b, strict=True))
