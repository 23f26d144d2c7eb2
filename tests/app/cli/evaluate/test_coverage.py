"""The evaluation's own judgement of coverage."""

from __future__ import annotations

import pytest

from app.cli.evaluate.coverage import covered


@pytest.mark.parametrize(
    ("forms", "text", "spaced", "expected"),
    [
        (["art"], "It was a party.", True, False),
        (["art"], "It was art.", True, True),
        (["Art", "arts"], "The arts, too.", True, True),
        (["New York"], "in New York today.", True, True),
        (["New York"], "a new York.", True, False),
        (["公园"], "他在办公园区工作。", False, False),
        (["公园"], "我们去公园散步。", False, True),
        (["散步", "公园"], "我们去公园。", False, True),
    ],
)
def test_words_not_substrings(forms: list[str], text: str, spaced: bool, expected: bool) -> None:
    assert covered(forms, text, spaced) is expected
