"""From the entries of an update to keys."""

from __future__ import annotations

from collections.abc import Sequence

from app.codes import Code
from app.problems import Fault, ProblemError
from app.retrieval.index_schemas import Entry
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.loading import KeyTokenizer

Key = tuple[int, ...]


def keys_of(entries: Sequence[tuple[str, Entry]], key_format: KeyFormat, tokenizer: KeyTokenizer) -> list[Key]:
    """The keys of entries, each given with the field that it came in.

    Raises:
        ProblemError: 422, a fault for each part that cannot be.
    """
    keys: list[Key] = []
    faults: list[Fault] = []
    for field, entry in entries:
        found = _key(field, entry, key_format, tokenizer)
        if isinstance(found, tuple):
            keys.append(found)
        else:
            faults += found
    if faults:
        raise ProblemError(422, faults[:20])
    return keys


def _key(field: str, entry: Entry, key_format: KeyFormat, tokenizer: KeyTokenizer) -> Key | list[Fault]:
    given = {name: getattr(entry, name) for name in ("subject", "predicate", "meaning", "key")}
    parts: list[Sequence[int]] = []
    faults: list[Fault] = []
    for name, text in given.items():
        if text is not None and name not in key_format.parts:
            due = ", ".join(key_format.parts)
            faults.append(
                Fault(
                    field=f"{field}.{name}",
                    code=Code.UNKNOWN_FIELD,
                    message=f"keys of this index are made of {due}",
                    remedy=f"give {due}",
                )
            )
    for name, separator in zip(key_format.parts, (*key_format.separators, ()), strict=True):
        text = given[name]
        if text is None and name != "meaning":
            faults.append(
                Fault(field=f"{field}.{name}", code=Code.MISSING, message="it is missing", remedy=f"add the {name}")
            )
            continue
        tokens = tokenizer.encode([text])[0] if text else ()
        fault = key_format.fault(name, tokens, separator)
        if fault is not None or (text and not tokens):
            said = fault if tokens else "has no tokens"
            faults.append(
                Fault(
                    field=f"{field}.{name}",
                    code=Code.MALFORMED,
                    message=f"{(text or '')[:40]!r}: it {said}",
                    remedy="leave line breaks and control tokens out, and give some text",
                )
            )
        parts.append(tokens)
    return faults or key_format.join(parts)
