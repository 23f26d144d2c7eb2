"""Reading of all sources: each distinct text once, and pairs of key and value as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.names import TEXTS_AT_ONCE, Interner, Names, halves_of, normal_forms
from models.retrieval.index.report import OnProgress, Report
from models.retrieval.index.sources import Source
from models.retrieval.index.values import normal_value
from models.text.normalisation import are_normal_names


@dataclass
class Collected:
    """R pairs of key and value, in order of appearance."""

    names: tuple[str, ...]  # of the format's parts
    texts: list[Names]  # distinct ones of each part
    columns: list[NDArray[np.uint32]]  # (R,) for each part the number of the row's text
    value_starts: NDArray[np.int64]  # (R,) where the row's value begins in the file of values, in bytes
    value_lengths: NDArray[np.int64]  # (R,) its bytes
    lines: NDArray[np.int64]  # (R,) the line it came from
    origins: list[tuple[str, int]]  # names of sources and the rows that came from each, in order


def collect(
    sources: Sequence[Source], key_format: KeyFormat, raw: Path, report: Report, on_progress: OnProgress
) -> Collected:
    """Read all sources in order. Memory: the distinct texts of keys and some 16 bytes a row.

    The values go to the file ``raw`` in their normal form, end to end.

    Raises:
        TextFileError: a source cannot be read.
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
                *keys, given = batch.columns
                values = _normal_values(given)
                for interner, column, texts in zip(fields, numbers, keys, strict=True):
                    column.append(interner.numbers(texts))
                file.write(b"".join(values))
                lengths.append(np.fromiter(map(len, values), np.uint32, len(values)))
                lines.append(np.asarray(batch.lines, np.uint32))
                rows += len(values)
                on_progress(before + batch.done, total)
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
) -> dict[str, tuple[Names, NDArray[np.uint32]]]:
    """Names and numbers of each part: fields as they are, but for the entity's meaning."""
    first, *more = (field.texts() for field in fields)
    forms = normal_forms(first)
    if not more:
        return {"key": _numbered(forms, first, columns[0])}
    predicate = {"predicate": _numbered(normal_forms(more[0]), more[0], columns[1])}
    if not split:
        return {"subject": _numbered(forms, first, columns[0]), **predicate}
    halves, written = halves_of(first, forms)
    subject, meaning = (
        _numbered([half[at] for half in halves], [half[at] for half in written], columns[0]) for at in range(2)
    )
    return {"subject": subject, "meaning": meaning, **predicate}


def _numbered(
    forms: Sequence[str], written: Sequence[str], column: NDArray[np.uint32]
) -> tuple[Names, NDArray[np.uint32]]:
    names = Names()
    return names, names.numbers(forms, written)[column]


def _normal_values(values: Sequence[bytes]) -> list[bytes]:
    """The normal form of each value."""
    forms: list[bytes] = []
    for at in range(0, len(values), TEXTS_AT_ONCE):
        some = values[at : at + TEXTS_AT_ONCE]
        normal = are_normal_names(b"\n".join(some).decode(), len(some))
        forms += some if normal else [normal_value(value.decode()).encode() for value in some]
    return forms
