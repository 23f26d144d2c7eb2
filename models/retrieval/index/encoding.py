"""From texts to rows of tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.collecting import Collected
from models.retrieval.index.key_format import MOST_TOKENS, KeyFormat
from models.retrieval.index.names import Names
from models.retrieval.index.ragged import Ragged
from models.retrieval.index.report import KEPT, Report
from models.retrieval.index.rows import Rows
from models.retrieval.index.tokenizing import Encode, Tell, tokenize

_FAULTS = (
    "",
    "is empty, or nothing to the tokenizer",
    f"has more than {MOST_TOKENS} tokens",
    "holds the separator that ends it",
)


def encode_rows(
    collected: Collected, key_format: KeyFormat, encode: Encode, raw: Path, report: Report, tell: Tell
) -> Rows:
    """Tokenise every part once, and leave out rows with a part that cannot stand in a key.

    Consumes ``collected``.

    Raises:
        MalformedInputError: such a row, and the report is strict.
        ValueError: the encoder does not give one sequence a text.
    """
    written = [names.as_written() for names in collected.texts]
    rows = Rows([], collected.columns, collected.value_starts, collected.value_lengths, raw, written)
    total, done = sum(len(names.forms) for names in collected.texts), 0
    worst = np.where(collected.value_lengths == 0, 1 + len(_FAULTS) * len(collected.names), 0).astype(np.uint8)
    for part, name in enumerate(collected.names):
        texts = collected.texts[part].forms.texts()
        collected.texts[part] = Names()
        parts = tokenize(texts, encode, lambda at, _, before=done: tell(before + at, total))  # type: ignore[misc]
        done += len(texts)
        end = key_format.separators[part][0] if part < len(key_format.separators) else None
        fault = _faults(parts, name, end)
        if fault.any():
            np.maximum(worst, np.where(fault, fault + len(_FAULTS) * part, 0)[rows.columns[part]], out=worst)
        rows.parts.append(parts)
    if worst.any():
        _refuse(collected, worst, report)
        rows.keep(worst == 0)
    return rows


def _refuse(collected: Collected, worst: NDArray[np.uint8], report: Report) -> None:
    """Report the lines of bad rows, each line once."""
    bad = np.flatnonzero(worst)
    ends = np.cumsum([count for _, count in collected.origins])
    origin = np.searchsorted(ends, bad, side="right")
    line = collected.lines[bad]
    new = np.ones(len(bad), np.bool_)
    new[1:] = (line[1:] != line[:-1]) | (origin[1:] != origin[:-1])
    bad, origin, line = bad[new], origin[new], line[new]
    for row, source, number in zip(bad[:KEPT].tolist(), origin.tolist(), line.tolist(), strict=False):
        part, fault = divmod(int(worst[row]), len(_FAULTS))
        report.refuse(collected.origins[source][0], number, f"the {(*collected.names, 'value')[part]} {_FAULTS[fault]}")
    report.malformed += max(0, len(bad) - KEPT)


def _faults(parts: Ragged, name: str, end: int | None) -> NDArray[np.uint8]:
    """(n,) place in :data:`_FAULTS` of what is wrong with each part, 0 for nothing."""
    fault = np.zeros(len(parts), np.uint8)
    if end is not None:
        fault[parts.contains(end)] = 3
    fault[parts.lengths > MOST_TOKENS] = 2
    if name != "meaning":
        fault[parts.lengths == 0] = 1
    return fault
