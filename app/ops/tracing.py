"""OpenTelemetry traces, sent by OTLP over HTTP where a collector is named.

FastAPI makes a span of each request and takes over the caller's trace (``traceparent``). Below it
stand ``turn``, the wait for a turn, and one ``forward`` for every batch of the model that worked for the
request, with the seconds that its part waited in the queue. Which traces are kept is said by
OpenTelemetry's own variables, such as OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from fastapi.telemetry import TelemetryConfig
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NoOpTracer, Span, Tracer, get_current_span, set_span_in_context
from starlette.types import Scope

from app.web.path_policy import policy_of
from models.language.scoring.batcher import BatchReport

FLUSH_SECONDS = 2.0
"""Seconds that a stopping service gives its collector."""


@dataclass(eq=False)
class Tracing:
    """The tracer of one application.

    Attributes:
        endpoint: http:// or https:// URL of a collector, without /v1/traces; None for no traces.
        tracer: of spans inside requests.
        config: of FastAPI's own spans.
    """

    endpoint: str | None
    tracer: Tracer = field(init=False)
    config: TelemetryConfig = field(init=False)
    _provider: TracerProvider | None = field(init=False, default=None)
    _exporter: SpanExporter | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.tracer = NoOpTracer()
        if self.endpoint is not None:
            # Imported where it is needed: it brings protobuf.
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            resource = Resource.create({SERVICE_NAME: "chainwright"})
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._exporter = OTLPSpanExporter(f"{self.endpoint.rstrip('/')}/v1/traces")
            self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
            self.tracer = self._provider.get_tracer("chainwright")
        self.config = {
            "tracing": self._provider is not None,
            "tracer_provider": self._provider,
            # Metrics and logs have ways of their own.
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": _is_probe,
        }

    def origin(self) -> Span | None:
        """The request's span that work belongs to from here on; None if it is not recorded."""
        span = get_current_span()
        return span if span.is_recording() else None

    def batch(self, report: BatchReport) -> None:
        """Make the spans of a batch that has just ended, one for each request in it."""
        ended = time.time_ns()
        started = ended - int(report.seconds * 1e9)
        waits: dict[Span, float] = {}
        for origin, waited in zip(report.origins, report.waited, strict=True):
            if isinstance(origin, Span):
                waits[origin] = max(waited, waits.get(origin, 0.0))
        for origin, waited in waits.items():
            span = self.tracer.start_span(
                "forward",
                context=set_span_in_context(origin),
                start_time=started,
                attributes={
                    "chainwright.work": report.work,
                    "chainwright.batch.jobs": report.jobs,
                    "chainwright.batch.cost": report.cost,
                    "chainwright.batch.wait": waited,
                },
            )
            span.end(ended)

    def close(self) -> None:
        """Send what has not been sent, and end; takes :data:`FLUSH_SECONDS` seconds at most."""
        if self._provider is None or self._exporter is None:
            return
        # The provider's own timeout is not heeded (opentelemetry-sdk 1.45).
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)
        if closing.is_alive():
            # Else the exporter would go on trying for a collector that is away, beyond its application.
            self._exporter.shutdown()


def _is_probe(scope: Scope) -> bool:
    return scope["type"] == "http" and policy_of(scope).probe
