"""Groups of sentences whose attention runs together."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.language.runs import BLOCK, WASTE, grouped

SIZES = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 40)).map(lambda size: (size[0], sum(size))), min_size=1, max_size=40
)


def places(counts: list[int]) -> torch.Tensor:
    return torch.cat([torch.arange(count) for count in counts])


@given(SIZES, st.sampled_from([(1, 4), (2, 3)]))
def test_every_token_goes_to_its_sentence_and_back(sizes: list[tuple[int, int]], shape: tuple[int, int]) -> None:
    counts, lengths = map(list, zip(*sizes, strict=True))
    heads, groups = shape
    owner = torch.repeat_interleave(torch.arange(1, len(counts) + 1), torch.tensor(counts))
    x = owner.float()[:, None, None, None] * torch.arange(1, heads + 1)[:, None, None] + torch.zeros(groups, 5)
    seen = 0
    for runs in grouped(counts, lengths, places(counts)):
        assert runs.tokens.start == seen
        seen = runs.tokens.stop
        rows = runs.by_sentence(x[runs.tokens])
        by_head = rows.view(-1, heads, runs.longest * groups, 5)
        assert len(by_head) == runs.sentences.stop - runs.sentences.start
        for sentence, of_sentence in enumerate(by_head, runs.sentences.start + 1):
            for head, cells in enumerate(of_sentence, 1):
                assert set(cells.unique().tolist()) <= {0.0, float(sentence * head)}
        assert torch.equal(runs.by_token(rows, heads, groups), x[runs.tokens])
        assert runs.length % BLOCK == 0 and runs.length >= max(lengths[runs.sentences])
    assert seen == len(x)


@given(SIZES)
def test_groups_pad_little(sizes: list[tuple[int, int]]) -> None:
    counts, lengths = map(list, zip(*sizes, strict=True))

    def cells(count: int, length: int) -> int:
        return count * (1 + -(-length // BLOCK))

    for runs in grouped(counts, lengths, places(counts)):
        own = list(zip(counts[runs.sentences], lengths[runs.sentences], strict=True))
        assert len(own) * cells(runs.longest, runs.length) - sum(cells(*one) for one in own) <= WASTE


def test_like_runs_need_no_padding() -> None:
    groups = grouped([1] * 200 + [6] * 40, [10] * 240, places([1] * 200 + [6] * 40))
    assert [(runs.longest, runs.places) for runs in groups] == [(1, None), (6, None)]
