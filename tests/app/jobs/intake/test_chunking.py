"""Chunks: they hold every item once, in order, and none is long or large."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.jobs.intake.chunking import MOST, MOST_CHUNKS, TARGET, Chunker

WORK = st.lists(st.tuples(st.sampled_from(["sentences", "score", "search", ""]), st.floats(0, 1e5)), min_size=1)


@given(WORK, st.dictionaries(st.sampled_from(["sentences", "score"]), st.floats(1e-6, 10)))
def test_chunks_divide_the_items(work: list[tuple[str, float]], costs: dict[str, float]) -> None:
    chunker = Chunker(len(work), costs)
    for kind, units in work:
        chunker.add(kind, units, 0.02)
    chunks = chunker.chunks()
    assert [number for start, stop in chunks for number in range(start, stop)] == list(range(len(work)))
    assert all(0 < stop - start <= MOST for start, stop in chunks)
    for start, stop in chunks:
        cost = sum(units * costs.get(kind, 0.0) for kind, units in work[start:stop])
        assert cost <= TARGET * (1 + 1e-9) or stop - start == 1


def test_measured_cost_decides_their_size() -> None:
    sizes = []
    for cost in (1e-6, 0.0025, 0.025, 100.0):
        chunker = Chunker(10_000, {"sentences": cost})
        for _ in range(10_000):
            chunker.add("sentences", 10.0, 4e-3)
        sizes.append(max(stop - start for start, stop in chunker.chunks()))
    assert sizes == [157, 80, 8, 5]


def test_a_large_job_of_dear_items_has_not_too_many() -> None:
    chunker = Chunker(50_000, {"sentences": 100.0})
    for _ in range(50_000):
        chunker.add("sentences", 10.0, 4e-3)
    assert len(chunker.chunks()) == MOST_CHUNKS


def test_a_small_job_has_chunks_for_several_workers() -> None:
    chunker = Chunker(128, {"score": 1e-6})
    for _ in range(128):
        chunker.add("score", 1.0, 0.02)
    assert len(chunker.chunks()) == 64
