"""Chunks: they hold every item once, in order, and none is long or large."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.intake.chunking import CHUNK_SECONDS, MAX_CHUNK_ITEMS, MAX_CHUNKS, chunks_of


@given(st.lists(st.floats(0, 1e5), min_size=1))
def test_chunks_divide_the_items(seconds: list[float]) -> None:
    chunks = chunks_of(seconds)
    assert [number for start, stop in chunks for number in range(start, stop)] == list(range(len(seconds)))
    assert all(0 < stop - start <= MAX_CHUNK_ITEMS for start, stop in chunks)
    for start, stop in chunks:
        assert sum(seconds[start:stop]) <= CHUNK_SECONDS * (1 + 1e-9) or stop - start == 1


@pytest.mark.parametrize(("seconds", "most"), [(1e-5, 157), (0.025, 80), (0.25, 8), (1000.0, 5)])
def test_expected_time_decides_their_size(seconds: float, most: int) -> None:
    assert max(stop - start for start, stop in chunks_of([seconds] * 10_000)) == most


def test_a_large_job_of_dear_items_has_not_too_many() -> None:
    assert len(chunks_of([1000.0] * 50_000)) == MAX_CHUNKS


def test_a_small_job_has_chunks_for_several_workers() -> None:
    assert len(chunks_of([1e-6] * 128)) == 64
