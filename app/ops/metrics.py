"""GET /metrics: what the engine does, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from app.engine.engine import Engine
from app.indexes.opened import SearchReport, retrieval_of
from app.web.requests import problem_responses
from models.language.scoring.batcher import BatchReport

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problem_responses(500)},
    summary="Metrics for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Requests, batches, tokens, waits, time in the model and outside, scores recalled, searches."""
    measured: Metrics = request.app.state.metrics
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)


@dataclass(eq=False)
class Metrics:
    """The instruments of one application, by OpenTelemetry, in a registry of their own.

    Attributes:
        engine: the engine at this moment, or None while the model loads.
        registry: what ``/metrics`` prints.
    """

    engine: Callable[[], Engine | None]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        def buckets(name: str, bounds: Iterable[float]) -> View:
            return View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(tuple(bounds)))

        self._provider = MeterProvider(
            [PrometheusMetricReader(registry=self.registry, scope_info_enabled=False, disable_target_info=True)],
            views=[
                buckets("chainwright.batch.wait", SECONDS),
                buckets("chainwright.batch.duration", SECONDS),
                buckets("chainwright.search.duration", SECONDS),
                buckets("http.server.request.duration", SECONDS),
                buckets("chainwright.batch.jobs", SIZES),
                buckets("chainwright.batch.cost", SIZES),
            ],
            shutdown_on_exit=False,
        )
        meter = self._provider.get_meter("chainwright")
        self._wait = meter.create_histogram("chainwright.batch.wait", "s", "time of a job in the queue")
        self._duration = meter.create_histogram("chainwright.batch.duration", "s", "time of a batch in the model")
        self._jobs = meter.create_histogram("chainwright.batch.jobs", "1", "jobs in a batch")
        self._cost = meter.create_histogram("chainwright.batch.cost", "1", "tokens of a batch, reused ones included")
        self._idle = meter.create_counter("chainwright.model.idle", "s", "time between batches, outside the model")
        self._search = meter.create_histogram("chainwright.search.duration", "s", "time of a search, its turn excluded")
        self._questions = meter.create_counter("chainwright.search.questions", "1", "questions answered by searches")
        self._request = meter.create_histogram(
            "http.server.request.duration", "s", "time of a request, streams to their end"
        )
        meter.create_observable_gauge("chainwright.indexes.building", [self._building], "1", "builds that run or wait")
        meter.create_observable_counter(
            "chainwright.lm.tokens", [self._usage("lm_tokens")], "1", "tokens fed to the language model"
        )
        meter.create_observable_counter(
            "chainwright.scored.tokens",
            [self._usage("scored_tokens")],
            "1",
            "tokens whose log-probability was computed; the first after an edit need not be fed",
        )
        meter.create_observable_counter("chainwright.lm.calls", [self._usage("lm_calls")], "1", "forwards")
        meter.create_observable_counter(
            "chainwright.scores", [self._store], "1", "scores and rows asked of the store, by where they were found"
        )
        meter.create_observable_gauge(
            "chainwright.store.bytes", [self._held], "By", "memory that scores take in the process"
        )
        meter.create_observable_gauge(
            "chainwright.store.redis", [self._redis], "1", "1 if Redis is being asked, else 0"
        )
        meter.create_observable_gauge(
            "chainwright.requests.present", [self._present], "1", "requests that run or wait for their turn"
        )
        meter.create_observable_gauge("chainwright.jobs.waiting", [self._waiting], "1", "jobs in the batcher's queue")

    def batch(self, report: BatchReport) -> None:
        """Take in a batch."""
        kind = {"work": report.work}
        for waited in report.waited:
            self._wait.record(waited, kind)
        self._duration.record(report.seconds, kind)
        self._jobs.record(report.jobs, kind)
        self._cost.record(report.cost, kind)
        self._idle.add(max(0.0, report.idle))

    def search(self, report: SearchReport) -> None:
        """Take in a search."""
        self._search.record(report.seconds)
        self._questions.add(report.questions)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Take in a request; its route is empty if none was reached, its status 0 if the client left before."""
        names = {"http.request.method": method if method in METHODS else "_OTHER", "http.route": route}
        self._request.record(seconds, names | {"http.response.status_code": status})

    def close(self) -> None:
        """Let go of the instruments."""
        self._provider.shutdown()

    def _usage(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterable[Observation]:
            if (engine := self.engine()) is not None:
                yield Observation(getattr(engine.model.scorer.usage, name))

        return observe

    def _store(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None and engine.scores is not None:
            counters = engine.scores.counters
            yield Observation(counters.hits_local, {"found": "memory"})
            yield Observation(counters.hits_remote, {"found": "redis"})
            yield Observation(counters.misses, {"found": "nowhere"})

    def _held(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None and engine.scores is not None:
            yield Observation(engine.scores.counters.bytes_held)

    def _redis(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None and engine.scores is not None:
            yield Observation(int(engine.scores.counters.breaker == "closed"))

    def _building(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None:
            yield Observation(len(retrieval_of(engine).builds.going_on))

    def _present(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None:
            yield Observation(engine.admission.present)

    def _waiting(self, options: CallbackOptions) -> Iterable[Observation]:
        if (engine := self.engine()) is not None:
            yield Observation(engine.batcher.waiting)
