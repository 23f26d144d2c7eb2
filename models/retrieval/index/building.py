"""Build an index from sources."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from models.retrieval.index.aliases import add_aliases
from models.retrieval.index.collecting import collect
from models.retrieval.index.compiling import compile_rows
from models.retrieval.index.encoding import encode_rows
from models.retrieval.index.errors import EmptyIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Source
from models.retrieval.index.spelling_table import DecodeBatch
from models.retrieval.index.staging import staged
from models.retrieval.index.tokenizing import Encode

Progress = Callable[[str, int, int], None]
"""Called with what is being done (reading, tokenising, compiling), how much is done, and of how much:
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
        key_format: parts and separators.
        encode: tokens of the parts, each by itself. Texts of the same tokens are one key.
        tokenizer: its fingerprint, to be asked for at opening.
        decode: the inverse of ``encode``; gives the index a table of how its names may be misspelt. None for none.
        aliases: pairs of an alias and what it stands for, see :func:`add_aliases`.
        strict: refuse malformed lines rather than leaving them out.
        progress: told how far the build is.

    Raises:
        RetrievalIndexError: ``folder`` exists.
        TextFileError: a source cannot be read.
        EmptyIndexError: there is not a single key.
        MalformedInputError: a malformed line, and ``strict``.
    """
    report = Report(strict)
    with staged(folder) as scratch, tempfile.TemporaryDirectory(dir=scratch) as side:
        raw = Path(side) / "values"
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
