"""Batches of texts that a request hands to the model one after another, so that others get their turns between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

BATCH_TOKENS = 2048
"""Most tokens of texts in one call of the model, padding counted."""


def batches(places: Sequence[int], length: Callable[[int], int]) -> Iterator[list[int]]:
    """Consecutive runs of texts whose count times their longest stays within :data:`BATCH_TOKENS`."""
    batch: list[int] = []
    longest = 0
    for place in places:
        longest = max(longest, length(place))
        if batch and (len(batch) + 1) * longest > BATCH_TOKENS:
            yield batch
            batch, longest = [], length(place)
        batch.append(place)
    if batch:
        yield batch
