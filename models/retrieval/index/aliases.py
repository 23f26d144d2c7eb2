"""Other names for keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.retrieval.index.collecting import Collected
from models.retrieval.index.key_format import split_entity
from models.retrieval.index.names import normal_forms
from models.retrieval.index.ragged import spread
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Source
from models.text.normalisation import normalise_name


def add_aliases(collected: Collected, aliases: Sequence[Source], report: Report) -> None:
    """Repeat every row of an alias's target with the alias in its place.

    Args:
        aliases: pairs of an alias and its target: a key, a subject of any meaning, or a subject with its
            meaning in brackets. An alias of an alias is not followed.
        report: gets aliases of nothing, as malformed.

    Raises:
        MalformedInputError: an alias of nothing, and the report is strict.
    """
    if not aliases:
        return
    head = collected.names.index("key" if "key" in collected.names else "subject")
    meaning = collected.names.index("meaning") if "meaning" in collected.names else None
    texts = collected.texts[head]
    senses = None if meaning is None else collected.texts[meaning].forms
    before = len(texts.forms)
    found: list[tuple[str, int, int, int, str]] = []
    for source in aliases:
        for batch in source.batches(1, report):
            for alias, target, line in zip(*batch.columns, batch.lines, strict=True):
                form = normalise_name(target.decode())
                subject, said = split_entity(form) if senses is not None else (form, "")
                number = texts.forms.known(subject.encode())
                sense = -1 if senses is None or not said else senses.known(said.encode())
                if number is None or number >= before or sense is None:
                    report.refuse(source.name, line, f"an alias of {target.decode()!r}, which is no key here")
                    continue
                found.append((alias.decode(), number, sense, line, source.name))
    if not found:
        return
    names, targets, within, lines, origins = zip(*found, strict=True)
    column = collected.columns[head]
    which = np.flatnonzero(np.isin(column, np.unique(targets)))
    which = which[np.argsort(column[which], kind="stable")]
    first, last = (np.searchsorted(column[which], targets, side=side) for side in ("left", "right"))
    alias = np.repeat(np.arange(len(names)), last - first)
    rows = which[spread(first, last - first)]
    if meaning is not None:
        sense_of = np.array(within)[alias]
        fits = (sense_of < 0) | (collected.columns[meaning][rows] == sense_of)
        alias, rows = alias[fits], rows[fits]
    numbers = texts.numbers(normal_forms(names), names)
    for part, old in enumerate(collected.columns):
        collected.columns[part] = np.concatenate([old, numbers[alias] if part == head else old[rows]])
    collected.value_starts = np.concatenate([collected.value_starts, collected.value_starts[rows]])
    collected.value_lengths = np.concatenate([collected.value_lengths, collected.value_lengths[rows]])
    collected.lines = np.concatenate([collected.lines, np.array(lines)[alias]])
    counts = np.bincount(alias, minlength=len(names))
    collected.origins += [(name, int(count)) for name, count in zip(origins, counts, strict=True)]
