"""Cells of a table as fields of a body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from app.cli.batch.cells import mapped
from app.tasks.registry import task_at
from app.web.problems import ProblemError
from models.text.tables.table import Column


def body(route: str, row: dict[str, Any], fields: Sequence[str] = (), constants: Sequence[str] = ()) -> dict[str, Any]:
    columns = [Column(name) for name in row]
    return mapped(type(task_at(route)), columns, fields, constants).body(list(row.values()))


@pytest.mark.parametrize(
    ("cell", "keywords"),
    [
        ("今天 公园、散步,树；dog", ["今天", "公园", "散步", "树", "dog"]),
        ("run|runs，park", [["run", "runs"], "park"]),
        ('[["New York", "Paris"], "park"]', [["New York", "Paris"], "park"]),
        (["New York", "park"], ["New York", "park"]),
        ("[今天", ["[今天"]),
        (5, ["5"]),
    ],
)
def test_lists_of_words(cell: Any, keywords: list[Any]) -> None:
    assert body("/v1/sentences", {"词": cell, "id": 1}, ["keywords=词"]) == {"keywords": keywords}


def test_fields_of_every_kind() -> None:
    row = {
        "keywords": "今天",
        "length.max": 20,
        "seed": str(2**62 + 1),
        "ordered": "是",
        "sampler.steps": "many",
        "sampler.ladder": "0.5 1",
        "counts": "今天>=1",
        "context": "从前。",
        "vocabulary": '{"words": ["公园"]}',
        "note": "carried",
        "forbidden": " ",
    }
    assert body("/v1/sentences", row, constants=["samples=3", "seed=1", "sampler.kind=tempering"]) == {
        "keywords": ["今天"],
        "length": {"max": 20},
        "seed": 2**62 + 1,
        "ordered": True,
        "sampler": {"steps": "many", "ladder": [0.5, 1.0], "kind": "tempering"},
        "counts": [{"phrase": "今天", "at_least": 1}],
        "context": "从前。",
        "vocabulary": {"words": ["公园"]},
        "samples": 3,
    }


def test_a_text_is_not_split_and_an_empty_cell_leaves_the_constant() -> None:
    route = "/v1/corrections"
    assert body(route, {"句": "我们, 昨天 去公圆。", "c": "0.8"}, ["texts=句", "confidence=c"]) == {
        "texts": ["我们, 昨天 去公圆。"],
        "confidence": 0.8,
    }
    assert body(route, {"texts": "a b", "names": None}, constants=["names=王晓明、李四"])["names"] == ["王晓明", "李四"]
    assert body("/v1/indexes/demo/search", {"query": "法国的货币是什么？"}) == {"query": "法国的货币是什么？"}
    blanks = {"text": "She ___ a ___.", "blanks": '[{}, {"keywords": ["cat"]}]'}
    assert body("/v1/infills", blanks)["blanks"] == [{}, {"keywords": ["cat"]}]


REFUSED: dict[str, tuple[list[str], list[str], str, str]] = {
    "no column": (["keywords=字"], [], "not-found", "the columns are 词, a, a"),
    "two columns": (["keywords=a"], [], "duplicate", "词"),
    "no field": (["keyword=词"], [], "unknown-field", "keywords"),
    "no equals sign": (["keywords"], [], "malformed", "--map keywords="),
    "nothing filled": ([], [], "missing", "--map keywords=COLUMN; the columns are 词, a, a"),
    "constants alone": ([], ["seed=1"], "missing", "--map keywords=COLUMN"),
    "twice": (["keywords=词", "keywords=词"], [], "duplicate", "once"),
    "a stream": (["keywords=词"], ["stream=true"], "unknown-field", ""),
    "a field and its part": (["keywords=词"], ["length={}", "length.max=3"], "contradictory", "one of the two"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_there_is_named(case: str) -> None:
    fields, constants, code, remedy = REFUSED[case]
    columns = [Column("词"), Column("a"), Column("a")]
    with pytest.raises(ProblemError) as refused:
        mapped(type(task_at("/v1/sentences")), columns, fields, constants)
    (fault,) = refused.value.faults
    assert fault.code == code and remedy in fault.remedy
