"""Files that evaluations read and write: a JSON value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from app.web.codes import Code
from app.web.problems import invalid
from models.text.files import read_lines


def json_lines(path: Path, encoding: str | None) -> list[tuple[int, Any]]:
    """The JSON of each line that is not blank, with its number.

    Raises:
        ProblemError: a line is no JSON, or there is none.
        TextFileError: the file cannot be read.
    """
    parsed = []
    for number, text, fault in read_lines(path, encoding):
        where = f"{path.name}:{number}"
        if fault is not None:
            raise invalid(where, Code.MALFORMED, fault, "mend that line")
        if text.strip():
            try:
                parsed.append((number, json.loads(text)))
            except (ValueError, RecursionError) as error:
                raise invalid(where, Code.MALFORMED_JSON, f"not JSON: {error}", "mend that line") from error
    if not parsed:
        raise invalid(path.name, Code.MISSING, "there are no lines", "write a JSON object a line")
    return parsed


def references_of(where: str, line: dict[str, Any]) -> list[str]:
    """The sentences under ``references`` or ``reference`` of a line; none if it has neither.

    Raises:
        ProblemError: they are no texts.
    """
    references = line.get("references", [line["reference"]] if "reference" in line else [])
    if not isinstance(references, list) or not all(isinstance(reference, str) for reference in references):
        raise invalid(
            where, Code.WRONG_TYPE, "references must be a list of texts, and reference a text", "mend that line"
        )
    return references


@contextmanager
def sink(path: Path | None) -> Iterator[IO[str] | None]:
    """A file for each line's result, if one is asked for.

    Raises:
        ProblemError: it cannot be written.
    """
    try:
        opened = nullcontext() if path is None else path.open("w", encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise invalid("--output", Code.UNUSABLE_FILE, message, "name another file") from error
    with opened as file:
        yield file
