"""Rates such as 600/minute, of settings and keys."""

from __future__ import annotations

from typing import Annotated

from limits import RateLimitItem, parse
from pydantic import AfterValidator

LONGEST_WINDOW = 31 * 24 * 3600
"""Seconds."""


def parsed(text: str) -> RateLimitItem:
    """The rate of a text: so many per second, minute, hour or day, or per several (``100 per 5 minutes``).

    Raises:
        ValueError: it is none, with the remedy.
    """
    remedy = "remedy: give a number of requests and a time, such as 600/minute or 100000/day"
    try:
        rate = parse(text)
    except ValueError:
        raise ValueError(f"{text!r} is no rate; {remedy}") from None
    if rate.amount < 1 or not 1 <= rate.get_expiry() <= LONGEST_WINDOW:
        raise ValueError(f"{text!r} allows nothing, or is over more than 31 days; {remedy}")
    return rate


def _checked(text: str) -> str:
    parsed(text)
    return text


Rate = Annotated[str, AfterValidator(_checked)]
