"""The reader of server-sent events against the rules and examples of the HTML standard."""

from __future__ import annotations

import pytest

from chainwright_client.event_stream import EventReader, RawEvent

CASES: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
    (
        ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
    ),
    ("data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
    ("event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
    ("event: add\n\ndata: 1\n\n", [("message", "1", "")]),
    ("id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\n", [("message", each, "1") for each in "abc"]),
    ("\ufeffdata: 1\r\rdata: 2\r\n\r\ndata: 3\n\n", [("message", each, "") for each in "123"]),
    ("data: \ufeff今天\u2028\x85\x0b。\nother: x\nretry: 7\n\n", [("message", "\ufeff今天\u2028\x85\x0b。", "")]),
    ("data: lost", []),
    ("data: lost\n", []),
]


@pytest.mark.parametrize(("stream", "events"), CASES)
def test_the_standard(stream: str, events: list[tuple[str, str, str]]) -> None:
    content = stream.encode()
    whole = list(EventReader().feed(content))
    assert whole == [RawEvent(*event) for event in events]
    for size in (1, 2, 3, 5):
        reader = EventReader()
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        assert [event for piece in pieces for event in reader.feed(piece)] == whole


def test_a_carriage_return_ends_its_line_at_once() -> None:
    reader = EventReader()
    assert [event.data for event in reader.feed(b"data: 1\r\r")] == ["1"]
    assert list(reader.feed(b"\n")) == []
    assert [event.data for event in reader.feed(b"data: 2\n\n")] == ["2"]


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert [event.data for event in EventReader().feed(b"data: a\xff\n\n")] == ["a\ufffd"]
