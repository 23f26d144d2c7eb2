"""Build an index: of sources, or of another one with its changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from models.retrieval.index.aliases import add_aliases
from models.retrieval.index.collecting import collect
from models.retrieval.index.compiling import Rows, compile_rows
from models.retrieval.index.errors import EmptyIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.ragged import Ragged
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Source
from models.retrieval.index.spelling_table import DecodeBatch
from models.retrieval.index.staging import staged
from models.retrieval.index.tokenizing import Encode, encode_rows
from models.retrieval.index.values import VALUE_SEPARATOR
from models.retrieval.index.written import Written

Progress = Callable[[str, int, int], None]
"""Called with the step (reading, tokenising, compiling), how much of it is done, and of how much:
bytes of the sources (0 where not known), distinct parts, steps."""


def build(
    folder: Path,
    sources: Sequence[Source],
    key_format: KeyFormat,
    encode: Encode,
    *,
    tokenizer: str,
    decode: DecodeBatch | None = None,
    aliases: Sequence[Source] = (),
    strict: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Manifest:
    """Build an index; it appears in ``folder`` whole, or not at all, whenever the process is killed.

    The same key in several lines keeps all its values in order of appearance, a pair that comes again
    is counted and left out. Texts pass :mod:`models.text.normalisation` first: names of one normal form are one
    key, shown as it was first written, and values are kept in their normal form. Lines that cannot be read,
    and keys that cannot be (a part without tokens, or with the separator's first token in it), are counted
    and named in the manifest's report.

    Args:
        folder: must not exist; its parent gets a scratch folder meanwhile.
        sources: of keys and values, read once, in order.
        encode: tokens of the parts, each by itself. Texts of the same tokens are one key.
        tokenizer: its fingerprint, compared at opening.
        decode: the inverse of ``encode``, for a table of misspelt names; None for none.
        aliases: pairs of an alias and its target, see :func:`add_aliases`.
        strict: refuse malformed lines rather than leaving them out.

    Raises:
        RetrievalIndexError: ``folder`` exists.
        TextFileError: a source cannot be read.
        EmptyIndexError: there is not a single key.
        MalformedInputError: a malformed line, and ``strict``.
    """
    report = Report(strict)
    with _scratch(folder) as (scratch, raw):
        collected = collect(sources, key_format, raw, report, lambda done, total: progress("reading", done, total))
        add_aliases(collected, aliases, report)
        rows = encode_rows(
            collected, key_format, encode, raw, report, lambda done, total: progress("tokenising", done, total)
        )
        del collected
        if not len(rows.value_starts):
            raise EmptyIndexError(f"there is not a single key: {report.summary()}")
        progress("compiling", 0, 2)
        counts = compile_rows(rows, key_format, scratch, decode)
        report.duplicates = counts.duplicates
        progress("compiling", 1, 2)
        manifest = Manifest.write(scratch, tokenizer, key_format, asdict(counts), report.as_json())
    progress("compiling", 2, 2)
    return manifest


def merge(view: OverlayView, folder: Path, decode: DecodeBatch | None = None) -> Manifest:
    """Build an index of all keys of a view; like :func:`build`, whole or not at all. The report is the base's own.

    Raises:
        RetrievalIndexError: ``folder`` exists.
        ValueError: the base has a spelling table, and ``decode`` is missing, which a new table needs.
    """
    if view.base.spelling is None:
        decode = None
    elif decode is None:
        raise ValueError("an index with a spelling table is merged into one: decode is needed")
    manifest = view.base.manifest
    with _scratch(folder) as (scratch, raw):
        counts = compile_rows(_rows(view, raw), manifest.key_format, scratch, decode)
        return Manifest.write(scratch, manifest.tokenizer, manifest.key_format, asdict(counts), manifest.report)


@contextmanager
def _scratch(folder: Path) -> Iterator[tuple[Path, Path]]:
    """See :func:`staged`; and a file for values beside the index's own files, removed at the end."""
    with staged(folder) as scratch, TemporaryDirectory(dir=scratch) as side:
        yield scratch, Path(side) / "values"


def _rows(view: OverlayView, raw: Path) -> Rows:
    """Base keys that are left, then added ones; the values of a key count as one, so as to stay together."""
    table, values, key_format = view.base.table, view.base.value_table, view.base.key_format
    added = list(view.added())
    added_parts = [key_format.split(key) for key, _ in added]
    records = [VALUE_SEPARATOR.join(value.encode() for value in some) for _, some in added]
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
    value_starts = np.concatenate([starts[:-1][kept], starts[-1] + np.cumsum(more) - more])
    return Rows(parts, columns, value_starts, np.concatenate([lengths, more]), raw, written)
