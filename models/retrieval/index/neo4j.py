"""Neo4j's CSV: nodes and relationships, as neo4j-admin imports and apoc.export.csv exports them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from models.retrieval.index.labels import GraphFile
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Row
from models.text.csv_records import Record, read_records
from models.text.files import read_blocks
from models.text.normalisation import normalise_name

NAMES = ("name", "title", "label", "名称", "名字", "姓名", "标题")
"""Properties that name a node, the better first; upper or lower case alike."""

_ID, _LABEL, _START, _END, _TYPE = "ID", "LABEL", "START_ID", "END_ID", "TYPE"
_APOC = {"_id": _ID, "_labels": _LABEL, "_start": _START, "_end": _END, "_type": _TYPE}
_MARKER = re.compile(r"(?:^|\n)\s*(?:_id|_start|[^:\n]*:(?:ID|START_ID))\b")
_COLUMN = re.compile(r"(?P<name>[^:]*):(?P<kind>\w+)(?P<array>\[\])?(?:\((?P<group>[^()]*)\))?(?:\{.*\})?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a header.

    Attributes:
        name: of the property; "" for none.
        kind: ID, LABEL, START_ID, END_ID, TYPE, IGNORE, or the property's type.
        array: what separates the entries of a cell; "[" for a JSON list; "" for a single one.
        group: space of ids.
    """

    name: str
    kind: str = ""
    array: str = ""
    group: str = ""

    def entries(self, cell: str) -> list[str]:
        """What a cell holds."""
        if self.array == "[" and cell.startswith("["):
            with suppress(ValueError, RecursionError):
                return [entry if isinstance(entry, str) else json.dumps(entry) for entry in json.loads(cell)]
        some = cell.split(self.array) if self.array in (";", ":") else [cell]
        return [entry for entry in some if normalise_name(entry)]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a record: its id within its group, its shown name, and what else is said of it."""

    id: str
    plain: str  # the id as it is written
    name: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A relationship of a record, between ids within their groups."""

    start: str
    end: str
    type: str


@dataclass(frozen=True, slots=True)
class GraphHeader:
    """Header of nodes, of relationships, or of both."""

    columns: Sequence[Column]

    @classmethod
    def read(cls, fields: Sequence[str]) -> GraphHeader | None:
        """The header that fields are; None if they are none."""
        if _MARKER.search("\n".join(fields)) is None:  # most records are none
            return None
        kinds = {field.strip() for field in fields}
        apoc = {"_id", "_labels"} <= kinds or {"_start", "_end", "_type"} <= kinds
        columns = [_apoc_column(field.strip()) if apoc else _admin_column(field.strip()) for field in fields]
        given = [column.kind for column in columns]
        return cls(columns) if _ID in given or (_START in given and _END in given) else None

    def read_record(self, fields: Sequence[str]) -> Node | Relationship:
        """What a record tells.

        Raises:
            ValueError: neither a node nor a relationship.
        """
        if len(fields) != len(self.columns):
            raise ValueError(f"{len(fields)} fields under a header of {len(self.columns)}")
        filled = [(column, cell) for column, cell in zip(self.columns, fields, strict=True) if normalise_name(cell)]
        ids = {column.kind: (f"{column.group}\0{cell}", cell) for column, cell in filled}
        if _START in ids or _END in ids:
            if missing := next((kind for kind in (_START, _END, _TYPE) if kind not in ids), None):
                raise ValueError(f"the relationship has no {missing}")
            return Relationship(ids[_START][0], ids[_END][0], _worded(ids[_TYPE][1]))
        if _ID not in ids:
            raise ValueError("neither a node's id nor a relationship's ends")
        named = {column.name.casefold(): cell for column, cell in reversed(filled) if column.name}
        key = next((name for name in NAMES if name in named), None)
        facts = [
            ("label" if column.kind == _LABEL else _worded(column.name), entry)
            for column, cell in filled
            if column.kind != "IGNORE" and (column.name or column.kind == _LABEL) and column.name.casefold() != key
            for entry in column.entries(cell)
        ]
        node, plain = ids[_ID]
        return Node(node, plain, plain if key is None else named[key], facts)


@dataclass(frozen=True)
class Neo4jCsv(GraphFile):
    """CSV under headers: a record that is one begins a new part, so that files may be joined end to end."""

    def named(self) -> Iterator[tuple[str, str, int]]:
        """See :class:`GraphFile`."""
        for _, found in _read(read_records(read_blocks(self.path, self.encoding, most=self.most))):
            if isinstance(found, Node):
                yield found.id, found.name, 0

    def rows(self, report: Report) -> Iterator[Row]:
        """See :class:`GraphFile`."""
        labels = self.known
        for record, found in _read(read_records(self.blocks(report))):
            if found is None:
                report.blank += 1
                continue
            try:
                if isinstance(found, str):
                    raise ValueError(found)
                if isinstance(found, Relationship):
                    ends = [labels.of(end, end.partition("\0")[2]) for end in (found.start, found.end)]
                    rows = [(_known(ends[0], found.start), found.type, _known(ends[1], found.end))]
                else:
                    subject = labels.of(found.id, found.plain) or found.plain
                    rows = [(subject, *fact) for fact in found.facts]
            except ValueError as error:
                report.refuse(self.name, record.line, str(error))
                continue
            report.unused += not rows
            for row in rows:
                yield row, record.line, record.done


def _read(records: Iterable[Record]) -> Iterator[tuple[Record, Node | Relationship | str | None]]:
    """Records and what they tell; their fault as a string, and None for blank ones. Headers are left out."""
    header: GraphHeader | None = None
    for record in records:
        if record.fault is not None:
            yield record, record.fault
        elif not any(map(normalise_name, record.fields)):
            yield record, None
        elif (found := GraphHeader.read(record.fields)) is not None:
            header = found
        elif header is None:
            yield record, "there is no header above, such as :ID,name,:LABEL or :START_ID,:END_ID,:TYPE"
        else:
            try:
                yield record, header.read_record(record.fields)
            except ValueError as error:
                yield record, str(error)


def _admin_column(field: str) -> Column:
    match = _COLUMN.fullmatch(field)
    if match is None:
        return Column(field)
    array = ";" if match["array"] or match["kind"] == _LABEL else ""
    return Column(match["name"], match["kind"], array, match["group"] or "")


def _apoc_column(field: str) -> Column:
    kind = _APOC.get(field)
    return Column(field, array="[") if kind is None else Column("", kind, ":" if kind == _LABEL else "")


def _worded(name: str) -> str:
    """A property or a type in words: ``ACTED_IN`` is acted in."""
    return (name.lower() if name.isupper() else name).replace("_", " ").strip() or name


def _known(name: str | None, node: str) -> str:
    if name is None:
        raise ValueError(f"there is no node {node.partition(chr(0))[2]!r}")
    return name
