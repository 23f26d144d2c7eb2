"""Which single edits of a Chinese text are proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from app.tasks.corrections.chinese_grammar import LEAST, propose
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.proposals import Place, Proposing
from app.tasks.corrections.registry import CORRECTED

ALL = frozenset(CORRECTED["zh"].single)
Row = Mapping[str, float]


def proposed(
    pieces: Sequence[str],
    rows: Mapping[int, Row],
    kinds: frozenset[Kind] = ALL,
    kept: Sequence[tuple[int, int]] = (),
) -> set[tuple[str, Kind]]:
    """What the text becomes by each edit, by tokens with log-prob -4 and what is expected at their places."""
    places, at = [], 0
    for piece in pieces:
        row = sorted(rows.get(at, {}).items(), key=lambda each: -each[1])
        places.append(Place(at, at + len(piece), -4.0, row))
        at += len(piece)
    text = "".join(pieces)
    found = [each for each in propose(Proposing(text, places, kept)) if each.edit.kind in kinds]
    return {(text[: p.edit.start] + p.edit.new + text[p.edit.end :], p.edit.kind) for p in found}


@pytest.mark.parametrize(
    ("pieces", "rows", "result", "kind"),
    [
        (["我", "去", "学校", "。"], {1: {"要": -1.0}}, "我要去学校。", "missing"),
        (["有", "险", "。"], {1: {"危险": -2.0}}, "有危险。", "missing"),
        (["因", "他", "来"], {0: {"因为": -2.0}}, "因为他来", "missing"),
        (["有", "险"], {1: {"险不险": -2.0}}, "有险不险", "missing"),
        (["情况", "话", "好"], {0: {"情": -2.0}}, "情话好", "redundant"),
        (["他", "是", "的", "来"], {}, "他是来", "redundant"),
        (["看看", "书"], {}, "看书", "redundant"),
        (["他", "学校", "去"], {1: {"去": -2.0}}, "他去学校", "reordered"),
        (["跑", "的", "快"], {1: {"得": -2.0}}, "跑得快", "function_word"),
        (["我", "、", "他"], {1: {"，": -9.0}}, "我，他", "punctuation"),
        (["你好", "他", "来"], {2: {"，": -1.0}}, "你好，他来", "punctuation"),
    ],
)
def test_an_error_is_mended(pieces: list[str], rows: Mapping[int, Row], result: str, kind: Kind) -> None:
    assert (result, kind) in proposed(pieces, rows)


def test_what_is_not_expected_is_not_put_in() -> None:
    pieces = ["我", "去", "学校"]
    assert not proposed(pieces, {1: {"要": LEAST - 0.1}}, frozenset(["missing"]))
    assert not proposed(pieces, {1: {"要": -5.5}}, frozenset(["missing"]))
    assert not proposed(["他", "学校", "去"], {}, frozenset(["reordered"]))


def test_a_likely_word_that_is_no_function_word_is_one_of_the_two_likeliest() -> None:
    row = {"好": -0.5, "吃饭": -1.0, "学校": -1.5}
    assert proposed(["我", "去"], {1: row}, frozenset(["missing"])) == {("我好去", "missing"), ("我吃饭去", "missing")}


def test_letters_digits_and_marks_stay() -> None:
    found = proposed(["在在", "AA", "11", "，，", "看看"], {4: {"1": -1.0}, 2: {"A": -1.0}})
    assert all(result.count("AA11，，") == 1 for result, _ in found)


def test_a_comma_does_not_stand_beside_a_mark() -> None:
    found = proposed(["好", "。", "我"], {0: {"，": -1.0}, 1: {"，": -1.0}, 2: {"，": -1.0}})
    assert {result for result, kind in found if kind == "punctuation"} == {"好，我"}


def test_what_is_kept_stays_whole() -> None:
    pieces, rows = (
        ["我", "在", "在", "家", "，", "好"],
        {1: {"就": -1.0}, 2: {"就": -1.0}, 3: {"的": -1.0}, 4: {"。": -1.0}},
    )
    found = proposed(pieces, rows, kept=[(1, 5)])
    assert found and all("在在家，" in result for result, _ in found)
    assert ("我就在在家，好", "missing") in found


def test_a_traditional_text_gets_no_simplified_words() -> None:
    row = {"过": -1.0, "過": -1.5}
    assert proposed(["說", "書"], {1: row}, frozenset(["missing"])) == {("說過書", "missing")}
    assert proposed(["说", "书"], {1: row}, frozenset(["missing"])) == {("说过书", "missing")}
