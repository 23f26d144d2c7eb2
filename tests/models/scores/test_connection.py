"""URLs of Redis."""

from __future__ import annotations

import pytest

from models.scores.connection import connection_factory


@pytest.mark.parametrize("url", ["", "http://u:secret@h", "redis://:secret/x@host:6379", "redis://h:secret"])
def test_a_url_that_is_none_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValueError, match="not a redis://|write them as %23, %2F and %3F") as raised:
        connection_factory(url)
    assert "secret" not in str(raised.value)


def test_an_option_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="option"):
        connection_factory("redis://:secret@h?colour=red")
