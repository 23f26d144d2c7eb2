"""What can be wrong with a text file, as problems with a remedy."""

from __future__ import annotations

from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from models.text.files import TextFileError, UnknownEncodingError, WrongEncodingError


def file_problem(error: TextFileError, field: str = "") -> ProblemError:
    """422 with one fault.

    Args:
        error: what is wrong.
        field: where the file was named; an encoding that nobody knows is a fault of its option.
    """
    code = Code.UNUSABLE_FILE
    if isinstance(error, WrongEncodingError):
        code = Code.NOT_UNICODE
    elif isinstance(error, UnknownEncodingError):
        code = Code.UNKNOWN_VALUE
        field = field if field in ("encoding", "Content-Type") else "--encoding"
    return ProblemError(422, [Fault(field=field, code=code, message=error.message, remedy=error.remedy)])
