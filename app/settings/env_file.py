"""The .env file: in UTF-8, with a byte order mark or without, or in UTF-16 with one."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic_settings import DotEnvSettingsSource
from pydantic_settings.sources.utils import parse_env_vars

ENV_FILE = ".env"
PREFIX = "CHAINWRIGHT_"

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class EnvFileError(ValueError):
    """The .env file cannot be read; the message says why and, after "; remedy: ", how to mend it."""


class EnvFile(DotEnvSettingsSource):
    """Settings from the .env file of the working directory."""

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        """The variables of a file.

        Raises:
            EnvFileError: it cannot be read.
        """
        values = dotenv_values(stream=io.StringIO(text_of(file_path)))
        return parse_env_vars(values, self.case_sensitive, self.env_ignore_empty, self.env_parse_none_str)


def text_of(path: Path) -> str:
    """The text of an .env file, as far as it is one.

    Raises:
        EnvFileError: it cannot be read, is in another encoding, or has a setting without a value.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EnvFileError(f"it cannot be read ({error.strerror}); remedy: let the service's user read it") from error
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise EnvFileError(
            f"line {line} is not UTF-8; remedy: save the file as UTF-8, not as GBK or Latin-1"
        ) from error
    if "\0" in text:
        raise EnvFileError("it holds NUL bytes, as UTF-16 does; remedy: save the file as UTF-8")
    bindings = list(parse_stream(io.StringIO(text)))
    for binding in bindings:
        written = binding.original.string.strip()
        if (binding.error or binding.value is None) and written.upper().startswith((PREFIX, f"EXPORT {PREFIX}")):
            raise EnvFileError(
                f"line {binding.original.line} has a setting without a value that can be read; remedy: write NAME=value"
            )
    # Lines that are not ours, and no variables, may stand there.
    return "".join(binding.original.string for binding in bindings if not binding.error)
