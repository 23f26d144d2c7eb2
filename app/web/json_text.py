"""JSON as people send it, with a remedy for every mistake."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from app.web.codes import Code
from app.web.problems import ProblemError, failure, invalid

MOST_DEPTH = 100
"""Deepest nesting of lists and objects; recursion through a value is safe so far."""

_HINTS = (
    (r"['‘’“”]", 'write strings in straight double quotes: "like this"'),
    (r"True|False|None|NULL|undefined", "write true, false and null in lower case"),
    (r"//|/\*|#", "leave comments out: JSON has none"),
    (r"[A-Za-z_]\w*\s*:", "put names in double quotes"),
)
"""Remedies by the pattern of the text at the mistake."""


_SPACE = " \t\r\n"
"""White space of JSON."""

_SEPARATORS = {mark: f"\\u{mark:04x}" for mark in (0x85, 0x2028, 0x2029)}


def read_json(content: bytes, *, line: bool = False) -> Any:
    """A value.

    Args:
        content: UTF-8; or UTF-16 or UTF-32, as ``json.loads`` tells them apart.
        line: whether it is one of several lines.

    Raises:
        ProblemError: 400 if it is none or too deep, 422 if a name stands twice or it is a string that holds JSON.
    """
    if not content or content.isspace():
        raise failure(400, Code.MISSING, "it is empty: JSON is due at offset 0", "send a JSON object")
    text = _text(content)
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        if encoding := wide(content):
            raise failure(400, Code.NOT_UNICODE, f"it begins like {encoding} and is no JSON", "send UTF-8") from None
        message = f"it is not JSON: {error.msg.removesuffix(' at')} at offset {error.pos}"
        raise failure(400, Code.MALFORMED_JSON, message, _remedy(text, error, line)) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # of int, which Python guards
        remedy = "give a number of fewer digits"
        raise failure(400, Code.TOO_LARGE, "a number has thousands of digits", remedy) from None
    if _deep(value):
        raise _too_deep()
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        remedy = "send what it holds: it was made JSON twice"
        raise invalid("", Code.WRONG_TYPE, "it is a string that holds JSON", remedy)
    return value


def one_line(text: str) -> str:
    """JSON that every reader of lines takes for one: U+0085, U+2028 and U+2029, which may stand in strings, escaped."""
    return text.translate(_SEPARATORS)


def wide(content: bytes) -> str | None:
    """UTF-16 or UTF-32 by iconv's name, if the content is JSON so encoded, with a mark or without."""
    found = json.detect_encoding(content[:4])
    return None if found.startswith("utf-8") else re.sub("-(?=[LB]E)", "", found.upper())


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> ProblemError:
    """The problem of bytes that are not UTF-8, with a guess at their encoding."""
    message = f"it is not UTF-8: byte 0x{content[error.start]:02X} at offset {error.start}"
    if content[:2] == b"\x1f\x8b":
        return failure(400, Code.NOT_UNICODE, f"{message}: it is compressed by gzip", "send it uncompressed")
    runs = re.findall(rb"[\x80-\xff]+", content)
    # Letters with accents mostly stand alone in Latin-1, and Chinese characters are pairs of bytes in GBK.
    if all(len(run) % 2 == 0 for run in runs):
        remedy = "send UTF-8: iconv -f GBK -t UTF-8 makes it so"
        return failure(400, Code.NOT_UNICODE, f"{message}; it may be GBK", remedy)
    remedy = "send UTF-8; iconv -t UTF-8 -f with the encoding's name makes it so"
    return failure(400, Code.NOT_UNICODE, message, remedy)


def _text(content: bytes) -> str:
    try:
        # Half a surrogate pair is refused later, with the field that it stands in.
        return content.decode(json.detect_encoding(content), "surrogatepass")
    except UnicodeDecodeError as error:
        raise _not_utf8(content, error) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        ((name, count),) = Counter(name for name, _ in pairs).most_common(1)
        message = f"{name[:80]!r} stands {count} times in one object"
        raise invalid(name[:80], Code.DUPLICATE, message, "give each name once")
    return made


def _deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def _too_deep() -> ProblemError:
    message = f"it is nested beyond a depth of {MOST_DEPTH}"
    return failure(400, Code.MALFORMED_JSON, message, "send JSON in UTF-8, of moderate depth")


def _remedy(text: str, error: json.JSONDecodeError, line: bool) -> str:
    before = text[max(0, error.pos - 100) : error.pos].rstrip(_SPACE)
    rest = text[error.pos : error.pos + 100].lstrip(_SPACE)
    if error.msg == "Extra data" and rest[:1] in ("{", "[", '"'):
        if line:
            return (
                "several objects stand on one line: write each on a line of its own; curl -d takes line feeds out, "
                "--data-binary keeps them"
            )
        return "send one JSON value; JSON Lines go to POST /v1/jobs with the header Content-Type: application/jsonl"
    if error.msg.startswith("Unterminated string"):
        return f"close the string that begins at character {error.pos}, and write a line break within it as \\n"
    if error.msg.startswith("Invalid control character"):
        return "write a line break within a string as \\n, a tab as \\t"
    if error.msg.startswith("Invalid \\escape"):
        return "write a backslash within a string as \\\\"
    if not rest or (line and error.msg == "Extra data"):
        return "keep all of an item on one line" if line else "send all of it: it ends too early"
    # Python before 3.13 complains of the bracket, later of the comma.
    closing = re.match(r",?\s*([]}])", rest)
    if closing and (before + rest[0]).endswith((",]", ",}", ",")):
        return f"take out the comma before the {closing[1]} at character {error.pos}"
    if error.pos == 0:
        return "send a JSON object in braces"
    hints = (remedy for pattern, remedy in _HINTS if re.match(pattern, rest))
    return next(hints, f"mend the JSON at character {error.pos}")
