"""What items that run side by side cost, against sums by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.work.processor_sharing import ProcessorSharing, Share


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_runs_side_by_side_is_split_evenly() -> None:
    clock = Clock()
    sharing = ProcessorSharing(clock)
    with sharing.one() as long:
        clock.now += 3.0  # alone
        with sharing.one() as short:
            clock.now += 4.0  # two
        clock.now += 1.0  # alone again
    clock.now += 50.0  # nothing runs
    with sharing.one() as later:
        clock.now += 2.0
    assert (long.seconds, short.seconds, later.seconds) == pytest.approx((3 + 2 + 1, 2, 2))
    assert sharing.running == 0


def test_an_item_that_fails_ends() -> None:
    clock = Clock()
    sharing = ProcessorSharing(clock)
    shares = []

    def fail() -> None:
        with sharing.one() as share:
            shares.append(share)
            clock.now += 1.0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (shares[0].seconds, sharing.running) == (1.0, 0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 10)), max_size=40))
def test_shares_add_up_to_the_time_in_which_anything_ran(steps: list[tuple[bool, float]]) -> None:
    clock = Clock()
    sharing = ProcessorSharing(clock)
    running = []
    shares: list[Share] = []
    busy = 0.0
    for begins, seconds in steps:
        if begins:
            running.append(sharing.one())
            shares.append(running[-1].__enter__())
        elif running:
            running.pop(0).__exit__(None, None, None)
        clock.now += seconds
        busy += seconds * bool(running)
    for one in running:
        one.__exit__(None, None, None)
    assert sum(share.seconds for share in shares) == pytest.approx(busy)
