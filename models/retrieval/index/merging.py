"""Compile a changed index anew."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.retrieval.index.compiling import compile_rows
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.ragged import Ragged
from models.retrieval.index.rows import Rows
from models.retrieval.index.spelling_table import DecodeBatch
from models.retrieval.index.staging import staged
from models.retrieval.index.values import BETWEEN
from models.retrieval.index.written import Written


def merge(view: OverlayView, folder: Path, decode: DecodeBatch | None = None) -> Manifest:
    """Build an index of all that a view shows; like a build, it appears whole or not at all.

    Parts are taken from the arrays, in tokens. The report is the base's own.

    Args:
        view: what is to be built.
        folder: must not exist.
        decode: texts of tokens; needed if the base has a spelling table, so that the new one has one too.

    Raises:
        RetrievalIndexError: ``folder`` exists.
        ValueError: ``decode`` is missing.
    """
    if view.base.spelling is None:
        decode = None
    elif decode is None:
        raise ValueError("an index with a spelling table is merged into one: decode is needed")
    manifest = view.base.manifest
    with staged(folder) as scratch, tempfile.TemporaryDirectory(dir=scratch) as side:
        rows = _rows(view, Path(side) / "values")
        counts = compile_rows(rows, manifest.key_format, scratch, decode)
        return Manifest.write(scratch, manifest.tokenizer, manifest.key_format, asdict(counts), manifest.report)


def _rows(view: OverlayView, raw: Path) -> Rows:
    """Base keys that are left, then added ones; the values of a key count as one, so as to stay together."""
    table, values, key_format = view.base.table, view.base.value_table, view.base.key_format
    added = list(view.added())
    added_parts = [key_format.split(key) for key, _ in added]
    records = [BETWEEN.join(value.encode() for value in some) for _, some in added]
    with raw.open("wb") as file:
        values.copy_to(file)
        file.write(b"".join(records))

    kept = np.ones(table.keys, np.bool_)
    kept[view.removed] = False
    parts, columns, written = [], [], []
    for column in range(table.columns):
        old = table.column_parts(column)
        parts.append(Ragged.concatenate([old, Ragged.of([each[column] for each in added_parts])]))
        fresh = np.arange(len(old), len(old) + len(added))
        shown = {at: view.written(column, each[column]) for at, each in enumerate(added_parts, len(old))}
        more_written = Written.of({at: text.encode() for at, text in shown.items() if text is not None})
        written.append(Written.concatenate([view.base.written_of(column), more_written]))
        columns.append(np.concatenate([table.column(column)[kept], fresh]).astype(np.uint32))
    starts = values.starts.astype(np.int64)
    lengths = np.diff(starts)[kept]
    more = np.fromiter(map(len, records), np.int64, len(records))
    return Rows(
        parts,
        columns,
        np.concatenate([starts[:-1][kept], starts[-1] + np.cumsum(more) - more]),
        np.concatenate([lengths, more]),
        raw,
        written,
    )
