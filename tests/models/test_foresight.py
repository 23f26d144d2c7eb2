"""The bigram model: the model's own rows, looked up for one follower at a time, kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.language import foresight
from models.language.foresight import Foresight, build
from models.language.foresight_store import kept
from models.language.scorer import CausalScorer, Head
from samplers.language import Alphabet, RowQuery
from tests.models.tiny import CONFIGS, Plain, engine, vocabulary

BEGIN = 2
INTERIOR = [9, 12, 7, 20, 3]
MASK = vocabulary([*INTERIOR, 15, 16, 30], len(INTERIOR), 2)


def report(share: float) -> None:
    """Nothing to show."""


@pytest.fixture(params=["llama", "gemma2", "gpt2"])
def bench(request: pytest.FixtureRequest) -> tuple[CausalScorer, Plain]:
    return engine(CONFIGS[request.param](), MASK)


def frequent(scorer: CausalScorer, head: Head) -> int:
    return int(MASK.ids[int(foresight.frequencies(scorer, head, BEGIN).argmax())])


def test_it_is_the_row_after_a_frequent_token_and_w(bench: tuple[CausalScorer, Plain]) -> None:
    scorer, plain = bench
    head = scorer.head(MASK)
    built = build(scorer, MASK, BEGIN, report).to(torch.zeros(0))
    rows = np.array([plain.rows([BEGIN, frequent(scorer, head), w])[-1] for w in INTERIOR])
    found = built.log_b(head, torch.arange(len(MASK))).numpy()
    np.testing.assert_allclose(found, rows.T, atol=0.05)  # kept in bfloat16
    np.testing.assert_allclose(built.mean.numpy(), np.log(np.exp(rows).mean(0)), atol=1e-4)


def test_rarer_tokens_take_the_mean_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "SIZE", 2)
    scorer, _ = engine(CONFIGS["llama"](), MASK)
    built = build(scorer, MASK, BEGIN, report).to(torch.zeros(0))
    rare = [k for k in range(len(INTERIOR)) if k not in built.local.tolist()]
    assert len(rare) == 3
    found = built.log_b(scorer.head(MASK), torch.tensor([4, 6]))
    for k in rare:
        torch.testing.assert_close(found[:, k], built.mean[[4, 6]])


def test_a_row_that_looks_ahead(bench: tuple[CausalScorer, Plain]) -> None:
    scorer, plain = bench
    head = scorer.head(MASK)
    head.foresight = built = build(scorer, MASK, BEGIN, report).to(torch.zeros(0))
    (base,) = scorer.score(scorer.context([BEGIN], head), head, [(9, 12, 7, 15)], [None])
    row = plain.rows([BEGIN, 9])[-1][: len(INTERIOR)]
    for a, sharpness in ((0.5, 1.0), (1.0, 1.7)):
        log_b = built.log_b(head, torch.tensor([MASK.local[30]]))[0].numpy()
        p = np.exp(sharpness * (row + a * log_b))
        q = 0.9 * p / p.sum() + 0.1 / len(p)
        queries = [RowQuery(1, 0.1, sharpness, following=30, foresight=a, present=token) for token in INTERIOR]
        # Others beside them, which keep to the left context.
        replies = scorer.rows(
            head, [base] * 7, [*queries, RowQuery(1, 0.1, present=9), RowQuery(1, 0.1, following=30, present=9)]
        )
        np.testing.assert_allclose([reply.log_q_present for reply in replies[:5]], np.log(q), atol=1e-4)
        assert replies[5].log_q_present == pytest.approx(replies[6].log_q_present)
        plain_q = 0.9 * np.exp(row[0]) / np.exp(row).sum() + 0.02
        assert replies[5].log_q_present == pytest.approx(np.log(plain_q), abs=1e-4)


@pytest.mark.parametrize(
    ("query", "has"),
    [
        (RowQuery(1, 0.1, following=12, foresight=0.5), False),
        (RowQuery(1, 0.1, alphabet=Alphabet.ENDS, following=12, foresight=0.5), True),
        (RowQuery(1, 0.1, following=5, foresight=0.5), True),
    ],
)
def test_a_row_that_cannot_look_ahead_is_refused(query: RowQuery, has: bool) -> None:
    scorer, _ = engine(CONFIGS["llama"](), MASK)
    head = scorer.head(MASK)
    head.foresight = build(scorer, MASK, BEGIN, report) if has else None
    (base,) = scorer.score(scorer.context([BEGIN], head), head, [(9, 12, 15)], [None])
    with pytest.raises(ValueError, match="look ahead|outside the vocabulary"):
        scorer.rows(head, [base], [query])


def _same(one: Foresight, other: Foresight) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("local", "hidden", "log_norms", "mean")
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        lambda data: b"",
    ],
    ids=["cut", "a flipped bit", "empty"],
)
def test_it_is_built_once_and_anew_if_damaged(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    scorer, _ = engine(CONFIGS["llama"](), MASK)
    builds: list[Foresight] = []

    def make() -> Foresight:
        builds.append(build(scorer, MASK, BEGIN, report))
        return builds[-1]

    first = kept(tmp_path / "new", MASK, BEGIN, make)
    assert _same(first, kept(tmp_path / "new", MASK, BEGIN, make))
    assert len(builds) == 1
    (path,) = (tmp_path / "new").glob("*.safetensors")
    path.write_bytes(damage(path.read_bytes()))
    assert _same(first, kept(tmp_path / "new", MASK, BEGIN, make))
    assert len(builds) == 2
    assert _same(first, kept(tmp_path / "new", MASK, BEGIN, make))
    assert len(builds) == 2


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    scorer, _ = engine(CONFIGS["llama"](), MASK)
    (tmp_path / "file").write_text("in the way")
    found = kept(tmp_path / "file", MASK, BEGIN, lambda: build(scorer, MASK, BEGIN, report))
    assert len(found.mean) == len(MASK)


def test_another_mask_of_the_same_name_has_its_own(tmp_path: Path) -> None:
    scorer, _ = engine(CONFIGS["llama"](), MASK)
    for mask in (MASK, vocabulary([9, 12, 15], 2, 1, name=MASK.name)):
        found = kept(tmp_path, mask, BEGIN, lambda mask=mask: build(scorer, mask, BEGIN, report))  # type: ignore[misc]
        assert len(found.mean) == len(mask)
