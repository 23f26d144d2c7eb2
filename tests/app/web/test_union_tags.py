"""Tags of unions are read off the schemas, so that a fault's path holds fields alone."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import ValidationError

from app.web.schemas import Strict, by_kind, union_tags
from app.web.validation import faults_of


class Plate(Strict):
    kind: Literal["toy-plate"] = "toy-plate"
    width: int


class Cup(Strict):
    kind: Literal["toy-cup"] = "toy-cup"
    depth: int


class Table(Strict):
    dishes: list[Annotated[Plate | Cup, *by_kind("toy-plate")]]


def test_tags_of_a_union_are_known_once_it_is_declared() -> None:
    tags = union_tags()
    assert {"toy-plate", "toy-cup"} <= tags
    assert not {"dishes", "width", "depth", "kind"} & tags


def test_a_path_holds_no_tag() -> None:
    with pytest.raises(ValidationError) as refused:
        Table.model_validate(
            {"dishes": [{"width": 1}, {"kind": "toy-cup", "depth": "x"}, {"kind": "toy-cup", "width": 1}]}
        )
    faults = faults_of(refused.value.errors())
    assert [fault.field for fault in faults] == ["dishes[1].depth", "dishes[2].depth", "dishes[2].width"]
    assert faults[2].message == "toy-cup has no such field"
