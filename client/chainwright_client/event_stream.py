"""Server-sent events, read as the HTML standard says (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Reconnecting is left to the caller: ``retry`` fields are passed over.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from chainwright_client.answers import Answer

LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as it was sent; ``id`` is the last that the stream gave."""

    name: str
    data: str
    id: str


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event whose data are a JSON object."""

    name: str
    data: Answer
    id: str


class EventReader:
    """Reads a stream of bytes, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._after_cr = False
        self._name, self._data, self._id = "", list[str](), ""

    def feed(self, piece: bytes) -> Iterator[RawEvent]:
        """The events that end in this piece."""
        text = self._decoder.decode(piece)
        if not text:
            return
        # A CR ends its line at once, though its LF may only come with the next piece.
        if self._after_cr:
            text = text.removeprefix("\n")
        self._after_cr = piece.endswith(b"\r")
        *lines, self._rest = LINE_END.split(self._rest + text)
        for line in lines:
            if line:
                self._field(line)
                continue
            if self._data:
                yield RawEvent(self._name or "message", "\n".join(self._data), self._id)
            self._name, self._data = "", []

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
