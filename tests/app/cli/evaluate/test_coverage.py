"""The evaluation's own judgement of coverage."""

from __future__ import annotations

import pytest

from app.cli.evaluate.coverage import covered
from app.languages.registry import LANGUAGES


@pytest.mark.parametrize(
    ("forms", "text", "language", "expected"),
    [
        (["art"], "It was a party.", "en", False),
        (["art"], "It was art.", "en", True),
        (["Art", "arts"], "The arts, too.", "en", True),
        (["New York"], "in New York today.", "en", True),
        (["New York"], "a new York.", "en", False),
        (["公园"], "他在办公园区工作。", "zh", False),
        (["公园"], "我们去公园散步。", "zh", True),
        (["散步", "公园"], "我们去公园。", "zh", True),
    ],
)
def test_words_not_substrings(forms: list[str], text: str, language: str, expected: bool) -> None:
    assert covered(forms, text, LANGUAGES[language]) is expected
