"""Bodies of requests from the cells of a table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from math import isfinite
from typing import Any

from app.cli.options import Leaf, leaves_of
from app.tasks.task import Task
from app.web.codes import Code
from app.web.problems import invalid
from models.text.tables.table import Column, written

_SPLIT = re.compile(r"[\s,，、;；]+")
_SWITCHES = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}


@dataclass(frozen=True)
class Mapped:
    """Fields of a task's body, and where their values come from.

    Attributes:
        columns: number of the column of each field.
        constants: values of fields whose cell is empty, or which have no column.
    """

    task: type[Task[Any, Any]]
    columns: Mapping[str, int]
    constants: Mapping[str, str]

    def body(self, row: Sequence[Any]) -> dict[str, Any]:
        """The body of a row; what a cell holds that its field cannot have is left for the schema to refuse."""
        leaves = leaves_of(self.task.request)
        cells = {name: row[at] for name, at in self.columns.items() if not _is_empty(row[at])}
        plain: dict[str, Any] = {}
        ready: dict[str, Any] = {}
        for name, cell in ({**self.constants, **cells}).items():
            value, whole = _value(cell, leaves.get(name))
            _put(ready if whole else plain, name, value)
        return _merged(self.task.body_of(plain), ready)


def mapped(
    task: type[Task[Any, Any]], columns: Sequence[Column], fields: Sequence[str], constants: Sequence[str]
) -> Mapped:
    """The fields that options name, or without any, those that columns are called by.

    Args:
        task: whose body is made.
        columns: of the table.
        fields: ``FIELD=COLUMN``.
        constants: ``FIELD=VALUE``.

    Raises:
        ProblemError: 422, no such field or column, or a field without which there is no request has neither.
    """
    leaves = leaves_of(task.request)
    known = {".".join(name.split(".")[:depth]) for name in leaves for depth in range(1, name.count(".") + 2)}
    known -= {"stream"}
    names = [column.name for column in columns]
    given = {field: _place(name, names, "--map") for field, name in _pairs(fields, "--map", known)}
    if not fields:
        given = {name: _place(name, names, "--map") for name in dict.fromkeys(names) if name in known}
    fixed = dict(_pairs(constants, "--set", known))
    filled = {*given, *fixed}
    required = [name for name, field in task.request.model_fields.items() if field.is_required()]
    missing = set(required) - {name.split(".")[0] for name in filled} if required or filled else {task.argument}
    for name in sorted(missing):
        remedy = f"name one with --map {name}=COLUMN; the columns are {', '.join(names) or 'none'}"
        raise invalid("--map", Code.MISSING, f"no column fills {name}", remedy)
    for inner in filled:
        if outer := next((each for each in filled if inner.startswith(f"{each}.")), None):
            raise invalid("--map", Code.CONTRADICTORY, f"{inner} is a part of {outer}", "fill one of the two")
    return Mapped(task, given, fixed)


def _pairs(options: Sequence[str], flag: str, known: set[str]) -> list[tuple[str, str]]:
    """Fields and what they are given.

    Raises:
        ProblemError: 422.
    """
    found: list[tuple[str, str]] = []
    for option in options:
        name, equals, value = option.partition("=")
        if not (name and equals and value):
            raise invalid(flag, Code.MALFORMED, f"{option!r} is not FIELD=...", f"write it as {flag} keywords=...")
        if name not in known:
            near = get_close_matches(name, known, 3) or sorted(each for each in known if "." not in each)
            raise invalid(flag, Code.UNKNOWN_FIELD, f"there is no field {name!r}", f"take {', '.join(near)}")
        if name in dict(found):
            raise invalid(flag, Code.DUPLICATE, f"{name} is given twice", "give it once")
        found.append((name, value))
    return found


def _place(name: str, names: Sequence[str], flag: str) -> int:
    times = names.count(name)
    if times != 1:
        code, message = (Code.DUPLICATE, "two columns are called") if times else (Code.NOT_FOUND, "no column is called")
        raise invalid(flag, code, f"{message} {name!r}", f"the columns are {', '.join(names) or 'none'}")
    return names.index(name)


def _is_empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _value(cell: Any, leaf: Leaf | None) -> tuple[Any, bool]:
    """The value of a cell for a field, and whether it is in its last form; no leaf for a field with fields in it."""
    if isinstance(cell, list | dict):
        return cell, True
    text = written(cell).strip()
    if text[0] in "[{" and (leaf is None or leaf.is_list):
        with suppress(ValueError, RecursionError):
            return json.loads(text), True
    if leaf is None:
        return text, True
    if leaf.is_list:
        entries = [entry for entry in _SPLIT.split(text) if entry] if leaf.words else [text]
        return [_single(entry, leaf.kind) for entry in entries], False
    return _single(text, leaf.kind), False


def _single(text: str, kind: Any) -> Any:
    if kind is bool:
        return _SWITCHES.get(text.lower(), text)
    with suppress(ValueError):
        if kind is int:
            return int(text)
        if kind is float and isfinite(number := float(text)):
            return number
    return text


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    reduce(lambda inner, parent: inner.setdefault(parent, {}), parents, body)[name] = value


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both, what is an object in both merged likewise."""
    shared = {name: _merged(one[name], value) for name, value in other.items() if isinstance(one.get(name), dict)}
    return one | other | shared
