"""Errors of indexes and of the model that writes keys, as problems with a remedy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from app.engine.device import device_fault
from app.indexes.library import ReservedNameError
from app.web.codes import Code
from app.web.file_problems import file_problem
from app.web.problems import ProblemError, failure
from models.language.default_weights import ConversionError
from models.language.device import DeviceError
from models.language.forward.forward import UnsupportedModelError
from models.language.loading import LoadingError
from models.retrieval.index.errors import (
    BadNameError,
    CorruptIndexError,
    EmptyIndexError,
    MalformedInputError,
    RetiredIndexError,
    RetrievalIndexError,
    TokenizerMismatchError,
    UnknownIndexError,
)
from models.retrieval.ranking.logit import RankingError
from models.retrieval.search.confidence import ConfidenceError
from models.text.files import TextFileError

_LIST = "name one that GET /v1/indexes or `chainwright index list` lists, or build it"
_OTHER_MODEL = "build it anew for this model, or serve the model it was built for (CHAINWRIGHT_RETRIEVAL_MODEL)"
_FORMATS = "see docs/retrieval.md for the formats; an index that was there before is as it was"
_LATER = "mend that, or try again later; GET /v1/indexes tells what is being built"

_KINDS: tuple[tuple[type[RetrievalIndexError], int, Code, str], ...] = (
    (BadNameError, 422, Code.MALFORMED, "give such a name"),
    (UnknownIndexError, 404, Code.NOT_FOUND, _LIST),
    (ReservedNameError, 422, Code.RESERVED, "choose another name"),
    (TokenizerMismatchError, 409, Code.OTHER_MODEL, _OTHER_MODEL),
    (CorruptIndexError, 409, Code.DAMAGED, "build it anew, or delete it"),
    (RetiredIndexError, 409, Code.CONFLICT, "send the request again"),
    (MalformedInputError, 422, Code.MALFORMED, "mend the line, or build without strict to leave it out"),
    (EmptyIndexError, 422, Code.MISSING, _FORMATS),
    (RetrievalIndexError, 409, Code.CONFLICT, _LATER),
)

log = structlog.get_logger()

MODEL_ERRORS = (LoadingError, ConversionError, DeviceError, UnsupportedModelError, ConfidenceError, RankingError)
"""Errors of loading a model that writes keys."""


@contextmanager
def as_problem(root: Path, field: str = "name") -> Iterator[None]:
    """Turn errors of indexes and of the model's loading into problems.

    Args:
        root: folder of the indexes, which is left out of messages.
        field: where the name of the index came.

    Raises:
        ProblemError: 404, 409, 422 or 503.
    """
    try:
        yield
    except RetrievalIndexError as error:
        raise problem_of(error, root, field) from error
    except TextFileError as error:
        raise file_problem(error) from error
    except MODEL_ERRORS as error:
        raise model_problem(error) from error
    except OSError as error:
        log.error("a file of the indexes cannot be used", reason=str(error))
        raise _file_problem(error) from error


def _file_problem(error: OSError) -> ProblemError:
    """503: the disk is full, or files are not the service's own; the folder is left out."""
    name = Path(os.fsdecode(error.filename)).name if isinstance(error.filename, str | bytes) else "a file"
    return failure(
        503,
        Code.UNUSABLE_FILE,
        f"{name} cannot be read or written ({error.strerror or error})",
        "let the service's user read and write it, see the disk, or set CHAINWRIGHT_STATE_DIR",
    )


def problem_of(error: RetrievalIndexError, root: Path, field: str) -> ProblemError:
    """An error as a problem."""
    status, code, remedy = next(kind[1:] for kind in _KINDS if isinstance(error, kind[0]))
    if isinstance(error, MalformedInputError | EmptyIndexError):
        field = ""
    return failure(status, code, message_of(error, root), remedy, field=field)


def message_of(error: BaseException, root: Path) -> str:
    """The message of an error, without the folder of the indexes."""
    return str(error).replace(f"{root}/", "") or repr(error)


def model_problem(error: BaseException) -> ProblemError:
    """503: the model that writes keys cannot be loaded."""
    if isinstance(error, DeviceError):
        return ProblemError(503, [device_fault(error)])
    return failure(
        503,
        Code.UNUSABLE_MODEL,
        f"the model that writes keys could not be loaded: {error}",
        "mend the setting CHAINWRIGHT_RETRIEVAL_MODEL or CHAINWRIGHT_RETRIEVAL_ADAPTER and start again",
    )
