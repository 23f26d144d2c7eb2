"""From sources to pairs of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import KeyFormat, split_entity
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Source
from models.retrieval.index.tokenizing import Interner, Tell


@dataclass
class Collected:
    """R pairs of key and value, in order of appearance.

    Attributes:
        names: part names of the format.
        texts: the distinct texts of each part.
        columns: (R,) for each part the number of the row's text.
        value_starts: (R,) where the row's value begins in the file of values, in bytes.
        value_lengths: (R,) its bytes.
        lines: (R,) the line it came from.
        origins: names of sources and the rows that came from each, in order.
    """

    names: tuple[str, ...]
    texts: list[Interner]
    columns: list[NDArray[np.uint32]]
    value_starts: NDArray[np.int64]
    value_lengths: NDArray[np.int64]
    lines: NDArray[np.int64]
    origins: list[tuple[str, int]]


def collect(sources: Sequence[Source], key_format: KeyFormat, raw: Path, report: Report, tell: Tell) -> Collected:
    """Read all sources in order.

    Values go to a file at once. Held in memory are the distinct texts of keys and some 16 bytes a row.

    Args:
        sources: of one key format.
        key_format: of the keys.
        raw: gets the values, end to end.
        report: gets the counts.
        tell: bytes read, and of how many.

    Raises:
        RetrievalIndexError: a source cannot be read.
        MalformedInputError: a malformed line, and the report is strict.
    """
    fields = [Interner() for _ in range(key_format.fields)]
    numbers: list[list[NDArray[np.uint32]]] = [[np.empty(0, np.uint32)] for _ in fields]
    lengths, lines = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
    origins = []
    total, before = sum(source.size for source in sources), 0
    with raw.open("wb") as file:
        for source in sources:
            rows = 0
            for batch in source.batches(key_format.fields, report):
                *keys, values = batch.columns
                for interner, column, texts in zip(fields, numbers, keys, strict=True):
                    column.append(interner.numbers(texts))
                file.write(b"".join(values))
                lengths.append(np.fromiter(map(len, values), np.uint32, len(values)))
                lines.append(np.asarray(batch.lines, np.uint32))
                rows += len(values)
                tell(before + batch.done, total)
            origins.append((source.name, rows))
            before += source.size
    columns = [np.concatenate(column) for column in numbers]
    del numbers
    length = np.concatenate(lengths).astype(np.int64)
    by_name = _parts(fields, columns, split="meaning" in key_format.parts)
    return Collected(
        key_format.parts,
        [by_name[name][0] for name in key_format.parts],
        [by_name[name][1] for name in key_format.parts],
        np.cumsum(length) - length,
        length,
        np.concatenate(lines).astype(np.int64),
        origins,
    )


def _parts(
    fields: list[Interner], columns: list[NDArray[np.uint32]], *, split: bool
) -> dict[str, tuple[Interner, NDArray[np.uint32]]]:
    """Texts and numbers of each part: fields as they are, but for the entity's meaning."""
    if len(fields) == 1:
        return {"key": (fields[0], columns[0])}
    predicate = {"predicate": (fields[1], columns[1])}
    if not split:
        return {"subject": (fields[0], columns[0]), **predicate}
    subjects, meanings = Interner(), Interner()
    halves = [split_entity(entity) for entity in fields[0].texts()]
    subject = subjects.numbers([half[0].encode() for half in halves])
    meaning = meanings.numbers([half[1].encode() for half in halves])
    return {"subject": (subjects, subject[columns[0]]), "meaning": (meanings, meaning[columns[0]]), **predicate}
