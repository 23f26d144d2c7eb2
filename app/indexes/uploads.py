"""Lines that come in over HTTP, on their way to a build."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterable, Sequence
from email.message import Message
from pathlib import Path
from uuid import uuid4

from app.settings.settings import Limits
from app.web.codes import Code
from app.web.file_problems import file_problem
from app.web.problems import failure, invalid
from models.text.files import TextFileError, check_encoding

_MAX_AGE = 86_400.0
"""Seconds after which an upload cannot belong to a build that still runs."""


def new_folder(root: Path) -> Path:
    """An empty folder for one upload, beside the indexes: it may be too large for the system's temporary folder.

    Old uploads of killed services are removed.
    """
    uploads = root / ".uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    for path in uploads.iterdir():
        try:
            if time.time() - path.stat().st_mtime > _MAX_AGE:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
    folder = uploads / uuid4().hex
    folder.mkdir()
    return folder


def write_lines(folder: Path, lines: Sequence[str], aliases: Sequence[str]) -> None:
    """Write the lines of a JSON request."""
    (folder / "lines").write_text("\n".join(lines), "utf-8", newline="\n")
    if aliases:
        (folder / "aliases").write_text("\n".join(aliases), "utf-8", newline="\n")


async def receive(folder: Path, body: AsyncIterable[bytes], limits: Limits) -> None:
    """Write a body as it comes.

    Raises:
        ProblemError: 413 as soon as it is too large, 422 if it is empty.
    """
    size = 0
    with (folder / "lines").open("wb") as file:
        async for chunk in body:
            size += len(chunk)
            if size > limits.max_upload_bytes:
                raise failure(
                    413,
                    Code.TOO_LARGE,
                    f"the body has more than {limits.max_upload_bytes} bytes",
                    "build the index by the command `chainwright index build`, which has no such limit",
                    headers={"Connection": "close"},
                )
            file.write(chunk)
    if not size:
        raise invalid("", Code.MISSING, "the body is empty", "send the lines as the body")


def encoding_of(given: str | None, content_type: str) -> str | None:
    """The encoding of a body: that of the query, else the charset of its type.

    Raises:
        ProblemError: 422, there is no such encoding.
    """
    charset = Message()
    charset["Content-Type"] = content_type
    name = given or charset.get_content_charset()
    if name is None:
        return None
    try:
        return check_encoding(name)
    except TextFileError as error:
        raise file_problem(error, "encoding" if given else "Content-Type") from error
