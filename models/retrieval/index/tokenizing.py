"""Texts to rows of tokens, each distinct text tokenised once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.retrieval.index.collecting import Collected
from models.retrieval.index.compiling import Rows
from models.retrieval.index.key_format import HOLDS_SEPARATOR, MAX_TOKENS, TOO_LONG, KeyFormat
from models.retrieval.index.names import Names
from models.retrieval.index.ragged import Ragged
from models.retrieval.index.report import MAX_EXAMPLES, OnProgress, Report
from models.retrieval.index.written import Written

Encode = Callable[[list[str]], Sequence[Sequence[int]]]
"""Token ids of each text of a batch, nothing added at either end."""

_TEXTS_AT_ONCE = 16_384
_FAULTS = ("", "is empty, or nothing to the tokenizer", TOO_LONG, HOLDS_SEPARATOR)


def batch_encoder(tokenizer: Tokenizer) -> Encode:
    """An :data:`Encode` of a fast tokenizer."""

    def encode(texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return encode


def encode_rows(
    collected: Collected, key_format: KeyFormat, encode: Encode, raw: Path, report: Report, on_progress: OnProgress
) -> Rows:
    """Tokenise every part once, and leave out rows with a part that cannot stand in a key. Consumes ``collected``.

    Raises:
        MalformedInputError: such a row, and the report is strict.
        ValueError: the encoder does not give one sequence a text.
    """
    written = [Written.of(names.written) for names in collected.texts]
    rows = Rows([], collected.columns, collected.value_starts, collected.value_lengths, raw, written)
    total, done = sum(len(names.forms) for names in collected.texts), 0
    worst = np.where(collected.value_lengths == 0, 1 + len(_FAULTS) * len(collected.names), 0).astype(np.uint8)
    for part, name in enumerate(collected.names):
        texts = collected.texts[part].forms.texts()
        collected.texts[part] = Names()
        pieces = []
        for at in range(0, len(texts), _TEXTS_AT_ONCE):
            pieces.append(_encoded(texts[at : at + _TEXTS_AT_ONCE], encode))
            on_progress(done + min(at + _TEXTS_AT_ONCE, len(texts)), total)
        parts = Ragged.concatenate(pieces)
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


def _encoded(texts: list[str], encode: Encode) -> Ragged:
    encoded = encode(texts)
    if len(encoded) != len(texts):
        raise ValueError(f"the encoder gave {len(encoded)} sequences for {len(texts)} texts")
    return Ragged.of(encoded)


def _refuse(collected: Collected, worst: NDArray[np.uint8], report: Report) -> None:
    """Report the lines of bad rows, each line once."""
    bad = np.flatnonzero(worst)
    ends = np.cumsum([count for _, count in collected.origins])
    origin = np.searchsorted(ends, bad, side="right")
    line = collected.lines[bad]
    new = np.ones(len(bad), np.bool_)
    new[1:] = (line[1:] != line[:-1]) | (origin[1:] != origin[:-1])
    bad, origin, line = bad[new], origin[new], line[new]
    first = zip(bad[:MAX_EXAMPLES].tolist(), origin.tolist(), line.tolist(), strict=False)
    for row, source, number in first:
        part, fault = divmod(int(worst[row]), len(_FAULTS))
        report.refuse(collected.origins[source][0], number, f"the {(*collected.names, 'value')[part]} {_FAULTS[fault]}")
    report.malformed += max(0, len(bad) - MAX_EXAMPLES)


def _faults(parts: Ragged, name: str, end: int | None) -> NDArray[np.uint8]:
    """(n,) place of each part's fault in :data:`_FAULTS`, 0 for none."""
    fault = np.zeros(len(parts), np.uint8)
    if end is not None:
        fault[parts.contains(end)] = _FAULTS.index(HOLDS_SEPARATOR)
    fault[parts.lengths > MAX_TOKENS] = _FAULTS.index(TOO_LONG)
    if name != "meaning":
        fault[parts.lengths == 0] = 1
    return fault
