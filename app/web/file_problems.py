"""Problems of text files, with a remedy for each."""

from __future__ import annotations

from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from models.text.files import TextFileError, UnknownEncodingError, WrongEncodingError


def file_problem(error: TextFileError, field: str = "") -> ProblemError:
    """A 422 for a file that ``field`` names; an unknown encoding is a fault of its own option."""
    code = Code.UNUSABLE_FILE
    if isinstance(error, WrongEncodingError):
        code = Code.NOT_UNICODE
    elif isinstance(error, UnknownEncodingError):
        code = Code.UNKNOWN_VALUE
        field = field if field in ("encoding", "Content-Type") else "--encoding"
    return invalid(field, code, error.message, error.remedy)
