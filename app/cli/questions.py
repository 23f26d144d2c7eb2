"""Questions with known facts, and the index that answers them, for commands."""

from __future__ import annotations

from pathlib import Path

from app.indexes.opened import Retrieval
from app.web.codes import Code
from app.web.problems import invalid
from models.retrieval.examples import Example, ExampleError, read_examples
from models.retrieval.index.live import LiveIndex


def read_questions(file: Path, encoding: str | None, field: str = "FILE") -> list[Example]:
    """The questions of a file that came in an argument.

    Raises:
        ProblemError: 422, it cannot be read.
    """
    try:
        return read_examples(file, encoding)
    except ExampleError as error:
        raise invalid(field, Code.UNUSABLE_FILE, str(error), error.remedy) from error


def open_triples(name: str, retrieval: Retrieval) -> LiveIndex:
    """The index of the option ``--index``.

    Raises:
        ProblemError: it cannot be opened, or its keys are no triples.
    """
    live = retrieval.open(name, "--index")
    if live.key_format.fields == 1:
        raise invalid("--index", Code.WRONG_TYPE, f"the keys of {name!r} are no triples", "name an index of triples")
    return live
