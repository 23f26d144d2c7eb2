"""Spans of a request, as a collector receives them."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.testclient import TestClient

from app.main import create_app
from app.ops.tracing import Tracing
from app.settings.settings import Settings
from tests.app.conftest import wait_until_ready

BODY = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 2, "steps": 5}}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """A collector's URL, and the spans it has been sent."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", spans
    finally:
        server.shutdown()
        thread.join()


def test_a_request_its_turn_and_its_forwards_are_one_trace(settings: Settings) -> None:
    with collector() as (endpoint, spans):
        with TestClient(create_app(settings.model_copy(update={"otlp_endpoint": endpoint}))) as client:
            wait_until_ready(client)
            parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
            assert client.post("/v1/sentences", json=BODY, headers=parent).status_code == 200
            assert client.get("/metrics").status_code == 200
        # The end of the application sends what is left.
        names = [span.name for span in spans]
        assert names.count("POST /v1/sentences") == 1 and not any(
            "ready" in name or "metrics" in name for name in names
        )
        (request,) = [span for span in spans if span.name == "POST /v1/sentences"]
        (turn,) = [span for span in spans if span.name == "turn"]
        forwards = [span for span in spans if span.name == "forward"]
        assert forwards and request.trace_id.hex() == TRACE and request.parent_span_id.hex() == "00f067aa0ba902b7"
        for span in (turn, *forwards):
            assert span.trace_id == request.trace_id and span.parent_span_id == request.span_id
            assert request.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
            assert span.end_time_unix_nano <= request.end_time_unix_nano
        attributes = {pair.key: pair.value for pair in forwards[0].attributes}
        assert attributes["chainwright.batch.jobs"].int_value >= 1 and "chainwright.batch.wait" in attributes


def test_a_collector_that_is_away_disturbs_nobody(settings: Settings) -> None:
    with TestClient(create_app(settings.model_copy(update={"otlp_endpoint": "http://127.0.0.1:1"}))) as client:
        wait_until_ready(client)
        assert client.post("/v1/sentences", json=BODY).status_code == 200


def test_nothing_is_tried_any_more_once_the_tracing_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    before = set(threading.enumerate())
    tracing = Tracing("http://127.0.0.1:1")
    tracing.tracer.start_span("work").end()
    tracing.close()
    assert "Transient error" in caplog.text
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()


def test_a_collector_that_hangs_holds_up_the_end_for_two_seconds_at_most() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing = Tracing(f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(2000):
            tracing.tracer.start_span("work").end()
        started = time.monotonic()
        tracing.close()
        # The exporter alone would wait ten seconds for each of four batches.
        assert 1 < time.monotonic() - started < 20


@pytest.mark.parametrize("endpoint", ["collector:4317", "ftp://x", "grpc://x:4317"])
def test_an_endpoint_must_be_a_url(endpoint: str) -> None:
    with pytest.raises(ValueError, match="http://host:4318"):
        Settings(otlp_endpoint=endpoint)
