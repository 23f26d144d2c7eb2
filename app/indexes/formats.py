"""Formats of the lines that an index is built from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from models.retrieval.index.both_ends import BothEnds
from models.retrieval.index.errors import EmptyIndexError, MalformedInputError
from models.retrieval.index.labels import GraphFile, with_labels
from models.retrieval.index.neo4j import GraphHeader, Neo4jCsv
from models.retrieval.index.ntriples import NTriples, is_statement
from models.retrieval.index.sources import CommaSeparated, JsonLines, Source, Tabbed
from models.text.csv_records import read_records
from models.text.files import Block, check_encoding, read_blocks

Format = Literal["triples", "pairs", "triples-jsonl", "pairs-jsonl", "triples-csv", "pairs-csv", "ntriples", "neo4j"]
"""``S<TAB>P<TAB>O``, ``key<TAB>value``, JSON Lines or CSV of the same, N-Triples, or Neo4j's CSV."""

AnyFormat = Literal["auto", "triples", "pairs", "triples-jsonl", "pairs-jsonl", "csv", "ntriples", "neo4j"]
"""Formats of a request: ``auto`` is any, ``csv`` either of its two, as the file looks."""

_BY_NAME: dict[str, Format] = {".nt": "ntriples", ".nq": "ntriples"}
"""Formats by the end of a file's name."""

_FIRST_LINES = 100


@dataclass(frozen=True, slots=True)
class File:
    """A file of lines; for encoding and most see :func:`models.text.files.read_blocks`.

    Attributes:
        format: as it was asked for.
        language: of the names that nodes of RDF are shown by; None for Chinese, else English, else any.
    """

    path: Path
    format: AnyFormat = "auto"
    encoding: str | None = None
    most: int | None = None
    language: str | None = None

    def chosen(self) -> Format:
        """The format, looked for in the file's first lines if it has to be.

        Raises:
            EmptyIndexError: there are no lines.
            MalformedInputError: none of the first lines has a format.
            TextFileError: the file cannot be read.
        """
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.format != "auto" and self.format != "csv":
            return self.format
        if self.format == "auto" and (named := _BY_NAME.get(Path(self.path.name.removesuffix(".gz")).suffix)):
            return named
        blocks = read_blocks(self.path, self.encoding, most=self.most)
        first = list(islice(blocks, 1))
        found = _format_of(first, csv=self.format == "csv")
        if found is not None:
            return found
        for _ in islice(blocks, 1):  # of a short file this tells whether it is in another encoding
            pass
        if not any(block.body.strip() for block in first):
            raise EmptyIndexError(f"there are no lines in {self.path.name}")
        raise MalformedInputError(
            f"{self.path.name}: none of the first lines is S<TAB>P<TAB>O, key<TAB>value, a JSON object, a statement of "
            "N-Triples, or CSV of two or three fields: name the format"
        )

    def source(self, chosen: Format) -> Source:
        """The file in a format."""
        if chosen == "ntriples":
            return NTriples(self.path, self.encoding, self.most, self.language)
        if chosen == "neo4j":
            return Neo4jCsv(self.path, self.encoding, self.most)
        kind = JsonLines if chosen.endswith("jsonl") else CommaSeparated if chosen.endswith("csv") else Tabbed
        return kind(self.path, self.encoding, self.most)

    def aliases(self) -> Source:
        """The file as pairs of an alias and its target, tab-separated unless it is JSON Lines or CSV."""
        chosen = self.chosen()
        return self.source("pairs" if is_triples(chosen) else chosen)


def is_triples(chosen: Format) -> bool:
    """Whether keys are subject, predicate and meaning."""
    return not chosen.startswith("pairs")


def sources_of(files: Sequence[File], formats: Sequence[Format], *, both_ends: bool = False) -> list[Source]:
    """Files in their formats; nodes of a graph are named in any of its files.

    Args:
        files: of one index.
        formats: of each.
        both_ends: index each triple from its object, too.

    Raises:
        MalformedInputError: ``both_ends`` of lines that are no triples.
    """
    sources = [file.source(chosen) for file, chosen in zip(files, formats, strict=True)]
    graph = iter(with_labels(source for source in sources if isinstance(source, GraphFile)))
    sources = [next(graph) if isinstance(source, GraphFile) else source for source in sources]
    if not both_ends:
        return sources
    if not all(map(is_triples, formats)):
        raise MalformedInputError("the lines are pairs of key and value, and only triples have two ends")
    return [BothEnds(source) for source in sources]


def _format_of(blocks: Sequence[Block], *, csv: bool) -> Format | None:
    """The format of the first line that has one; CSV if no line has another."""
    if not csv:
        first = next((record for record in read_records(blocks) if any(record.fields)), None)
        if first is not None and GraphHeader.read(first.fields) is not None:
            return "neo4j"
        lines = chain.from_iterable(block.decoded()[0] for block in blocks)
        for text in islice(lines, _FIRST_LINES):
            if (found := _format_of_line(text)) is not None:
                return found
    fields: dict[int, Format] = {2: "pairs-csv", 3: "triples-csv"}
    counts = Counter(len(record.fields) for record in islice(read_records(blocks), _FIRST_LINES) if any(record.fields))
    usual, times = max(counts.items(), key=lambda one: one[1], default=(0, 0))
    return fields.get(usual) if csv or times * 2 > counts.total() else None


def _format_of_line(text: str) -> Format | None:
    if is_statement(text):
        return "ntriples"
    if text.startswith("{"):
        try:
            return "pairs-jsonl" if "key" in json.loads(text) else "triples-jsonl"
        except (ValueError, RecursionError):
            return None
    columns: dict[int, Format] = {1: "pairs", 2: "triples"}
    return columns.get(text.count("\t"))
