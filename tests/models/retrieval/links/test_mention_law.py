"""Features of names, of which the law of mentions is made."""

from __future__ import annotations

import numpy as np
import pytest

from models.retrieval.links.mention_law import FEATURES, LEAST, MENTION_LAW, MOST, features
from models.retrieval.links.names import Name


def rows(text: str, *names: str, sequel: float = 0.0) -> dict[str, dict[str, float]]:
    """The features of names where they stand first."""
    found = [Name(text.index(name), text.index(name) + len(name), (at,), ()) for at, name in enumerate(names)]
    table = features(text, found, [sequel] * len(found))
    return {name: dict(zip(FEATURES, row, strict=True)) for name, row in zip(names, table.tolist(), strict=True)}


def test_a_name_in_a_longer_one_is_inside() -> None:
    found = rows("赤道几内亚的货币", "赤道几内亚", "几内亚")
    assert found["赤道几内亚"]["inside"] == 0 and found["几内亚"]["inside"] == 1


def test_a_longer_one_that_cuts_words_holds_none() -> None:
    found = rows("参加纳税", "加纳税", "加纳")
    assert found["加纳"]["inside"] == float(found["加纳税"]["begins"] + found["加纳税"]["ends"] > np.log(0.5))


@pytest.mark.parametrize(
    ("text", "name", "beside"),
    [
        ("She lives in New Mexico.", "Mexico", True),
        ("We saw Michael Jordan.", "Jordan", True),
        ("He is at Georgia Tech now.", "Georgia", True),
        ("In Chad it rains.", "Chad", False),
        ("It rained. The Chad basin.", "Chad", False),
        ("Michael Jordan won.", "Jordan", True),
        ("Visit Chad now.", "Chad", False),
        ("from Chad to Peru", "Chad", False),
        ("“Two Chad stamps”", "Chad", False),
    ],
)
def test_a_capital_beside_a_name_is_told(text: str, name: str, beside: bool) -> None:
    assert rows(text, name)[name]["before"] + rows(text, name)[name]["after"] == beside


def test_capitals_of_other_names_do_not_count() -> None:
    assert rows("from Chad Peru fled", "Chad", "Peru")["Chad"]["after"] == 0


def test_features_are_bounded() -> None:
    found = rows("在沿海地区", "海地", sequel=1e3)["海地"]
    assert LEAST <= found["begins"] < -2 and found["sequel"] == MOST
    assert rows("我在海地", "海地", sequel=-5.0)["海地"]["sequel"] == 0


def test_the_law_prefers_whole_words() -> None:
    def odds(text: str, name: str) -> float:
        return float(MENTION_LAW.log_odds(np.array([list(rows(text, name)[name].values())]))[0])

    assert odds("他在海地工作", "海地") > 0 > odds("在沿海地区", "海地")
