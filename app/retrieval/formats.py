"""Formats of the lines that an index is built from."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Literal

from models.retrieval.index.both_ends import BothEnds
from models.retrieval.index.errors import MalformedInputError
from models.retrieval.index.lines import read_lines
from models.retrieval.index.sources import JsonLines, Source, Tabbed

Format = Literal["triples", "pairs", "triples-jsonl", "pairs-jsonl"]
"""``S<TAB>P<TAB>O``, ``key<TAB>value``, or JSON Lines of the same."""

AnyFormat = Literal["auto", "triples", "pairs", "triples-jsonl", "pairs-jsonl"]

_LOOK_AT = 100


def source(path: Path, chosen: Format, *, both_ends: bool = False) -> Source:
    """A file in a format.

    Args:
        path: the file.
        chosen: its format.
        both_ends: each triple is to be found from its object, too.

    Raises:
        MalformedInputError: ``both_ends`` of lines that are no triples.
    """
    found: Source = JsonLines(path) if chosen.endswith("jsonl") else Tabbed(path)
    if not both_ends:
        return found
    if not is_triples(chosen):
        raise MalformedInputError("the lines are pairs of key and value, and only triples have two ends")
    return BothEnds(found)


def is_triples(chosen: Format) -> bool:
    """Whether keys are subject, predicate and meaning."""
    return chosen.startswith("triples")


def detect(path: Path) -> Format:
    """The format of the first of a file's lines that has one.

    Raises:
        MalformedInputError: none of the first lines has.
        RetrievalIndexError: the file cannot be read.
    """
    for block in islice(read_lines(path), 1):
        texts, _ = block.decoded()
        for text in texts[:_LOOK_AT]:
            found = _format_of(text)
            if found is not None:
                return found
    raise MalformedInputError(
        f"{path.name}: none of the first lines is S<TAB>P<TAB>O, key<TAB>value or a JSON object: name the format"
    )


def _format_of(text: str) -> Format | None:
    if text.startswith("{"):
        try:
            return "pairs-jsonl" if "key" in json.loads(text) else "triples-jsonl"
        except (ValueError, RecursionError):
            return None
    columns: dict[int, Format] = {1: "pairs", 2: "triples"}
    return columns.get(text.count("\t"))
