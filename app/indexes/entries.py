"""Keys of the entries of an update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.indexes.schemas import Entry
from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from models.retrieval.index.names import in_one_line
from models.retrieval.index.overlay import OverlayView
from models.retrieval.loading import KeyTokenizer
from models.text.normalisation import normalise_name


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an update."""

    tokens: tuple[int, ...]  # of its parts in their normal form
    written: dict[int, str]  # by column, a part as it is written where that is not its normal form


def keys_of(field: str, entries: Sequence[Entry], view: OverlayView, tokenizer: KeyTokenizer) -> list[Key]:
    """The keys of the entries in a field of a request.

    Raises:
        ProblemError: 422, a fault for each part that cannot be.
    """
    keys: list[Key] = []
    faults: list[Fault] = []
    for i, entry in enumerate(entries):
        found = _key(f"{field}[{i}]", entry, view, tokenizer)
        if isinstance(found, Key):
            keys.append(found)
        else:
            faults += found
    if faults:
        raise ProblemError(422, faults[:20])
    return keys


def _key(field: str, entry: Entry, view: OverlayView, tokenizer: KeyTokenizer) -> Key | list[Fault]:
    key_format = view.base.key_format
    given = {name: getattr(entry, name) for name in ("subject", "predicate", "meaning", "key")}
    parts: list[Sequence[int]] = []
    written: dict[int, str] = {}
    faults: list[Fault] = []

    def refuse(name: str, code: Code, message: str, remedy: str) -> None:
        faults.append(Fault(field=f"{field}.{name}", code=code, message=message, remedy=remedy))

    due = ", ".join(key_format.parts)
    for name, text in given.items():
        if text is not None and name not in key_format.parts:
            refuse(name, Code.UNKNOWN_FIELD, f"keys of this index are made of {due}", f"give {due}")
    for column, (name, separator) in enumerate(zip(key_format.parts, (*key_format.separators, ()), strict=True)):
        text = None if given[name] is None else normalise_name(given[name])
        if text is None and name != "meaning":
            refuse(name, Code.MISSING, "it is missing", f"add the {name}")
            continue
        tokens = tokenizer.encode([text])[0] if text else ()
        fault = key_format.fault(name, tokens, separator)
        if fault is not None or (text and not tokens):
            message = f"{(text or '')[:40]!r}: it {fault if tokens else 'has no tokens'}"
            refuse(name, Code.MALFORMED, message, "leave line breaks and control tokens out, and give some text")
        parts.append(tokens)
        if text and (shown := in_one_line(given[name])) != text:
            written[column] = shown
    if faults:
        return faults
    key = key_format.join(parts)
    return Key(_as_built(key, given, view, tokenizer) if written else key, written)


def _as_built(
    key: tuple[int, ...], given: dict[str, str | None], view: OverlayView, tokenizer: KeyTokenizer
) -> tuple[int, ...]:
    """The key; or, in an index built before names were normalised, the one that it has in the form given."""
    key_format = view.base.key_format
    if view.find(key) is not None:
        return key
    parts = tokenizer.encode([given[name] or "" for name in key_format.parts])
    try:
        old = key_format.join(parts)
    except ValueError:
        return key
    return key if view.find(old) is None else old
