"""GET /metrics: measurements of the engine and of requests, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

from app.engine.engine import Engine
from app.indexes.opened import SearchReport, retrieval_of
from app.ops.queue_state import QueueState, queue_state
from app.web.requests import problem_responses
from models.language.scoring.batcher import BatchReport

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

Read = Callable[[Engine], list[Observation]]
Create = Callable[[str, list[Callable[[CallbackOptions], Iterable[Observation]]], str, str], Any]

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problem_responses(500)},
    summary="Metrics for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Requests, batches, tokens, waits, time in the model and outside, scores recalled, searches, queue, process."""
    measured: Metrics = request.app.state.metrics
    if (jobs := request.app.state.jobs) is not None:
        measured.queue = await queue_state(jobs)
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)


@dataclass(eq=False)
class Metrics:
    """The instruments of one application, by OpenTelemetry, in a registry of their own.

    Attributes:
        engine: the engine at this moment, or None while the model loads.
        registry: of all that ``/metrics`` prints.
        queue: state of the queue of jobs when it was last looked at; None where there is none.
    """

    engine: Callable[[], Engine | None]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    queue: QueueState | None = None

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        reader = PrometheusMetricReader(registry=self.registry, scope_info_enabled=False, disable_target_info=True)
        self._provider = MeterProvider([reader], shutdown_on_exit=False)
        meter = self._provider.get_meter("chainwright")
        counter, histogram = meter.create_counter, meter.create_histogram

        def times(name: str, description: str) -> Histogram:
            return histogram(name, "s", description, explicit_bucket_boundaries_advisory=SECONDS)

        def sizes(name: str, description: str) -> Histogram:
            return histogram(name, "1", description, explicit_bucket_boundaries_advisory=SIZES)

        self._wait = times("chainwright.batch.wait", "time of a job in the queue")
        self._duration = times("chainwright.batch.duration", "time of a batch in the model")
        self._jobs = sizes("chainwright.batch.jobs", "jobs in a batch")
        self._cost = sizes("chainwright.batch.cost", "tokens of a batch, reused ones included")
        self._idle = counter("chainwright.model.idle", "s", "time between batches, outside the model")
        self._search = times("chainwright.search.duration", "time of a search, its turn excluded")
        self._questions = counter("chainwright.search.questions", "1", "questions answered by searches")
        self._request = times("http.server.request.duration", "time of a request, streams to their end")

        def observe(create: Create, name: str, description: str, read: Read, unit: str = "1") -> None:
            def observed(options: CallbackOptions) -> Iterable[Observation]:
                return [] if (engine := self.engine()) is None else read(engine)

            create(name, [observed], unit, description)

        def used(name: str) -> Read:
            return lambda engine: [Observation(getattr(engine.model.scorer.usage, name))]

        total, gauge = meter.create_observable_counter, meter.create_observable_gauge
        observe(total, "chainwright.lm.tokens", "tokens fed to the language model", used("lm_tokens"))
        computed = "tokens whose log-probability was computed; the first after an edit need not be fed"
        observe(total, "chainwright.scored.tokens", computed, used("scored_tokens"))
        observe(total, "chainwright.lm.calls", "forwards", used("lm_calls"))
        asked = "scores and rows asked of the store, by where they were found"
        observe(total, "chainwright.scores", asked, _lookups)
        observe(gauge, "chainwright.store.bytes", "memory that scores take in the process", _held, "By")
        observe(gauge, "chainwright.store.redis", "1 if Redis is being asked, else 0", _redis)
        observe(gauge, "chainwright.indexes.building", "builds that run or wait", _building)
        present = "requests that run or wait for their turn"
        observe(gauge, "chainwright.requests.present", present, lambda engine: [Observation(engine.admission.present)])
        queued = "work that waits in the batcher's queue"
        observe(gauge, "chainwright.batch.queue.length", queued, lambda engine: [Observation(engine.batcher.waiting)])

        def look(name: str, description: str, read: Callable[[QueueState], list[Observation]]) -> None:
            def observed(options: CallbackOptions) -> Iterable[Observation]:
                return [] if self.queue is None else read(self.queue)

            gauge(name, [observed], "1", description)

        look("chainwright.queue.up", "1 if the queue of jobs answers, else 0", lambda queue: [Observation(queue.up)])
        chunks = "chunks of jobs in the queue, those under way included"
        look(
            "chainwright.queue.chunks", chunks, lambda queue: [Observation(n, {"priority": p}) for p, n in queue.chunks]
        )
        look("chainwright.jobs.open", "jobs that have not ended", lambda queue: _known(queue.jobs))
        look("chainwright.workers", "workers heard of lately", lambda queue: _known(queue.workers))

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


def _known(count: int | None) -> list[Observation]:
    return [] if count is None else [Observation(count)]


def _lookups(engine: Engine) -> list[Observation]:
    if engine.scores is None:
        return []
    counters = engine.scores.counters
    found = {"memory": counters.hits_local, "redis": counters.hits_remote, "nowhere": counters.misses}
    return [Observation(count, {"found": place}) for place, count in found.items()]


def _held(engine: Engine) -> list[Observation]:
    return [] if engine.scores is None else [Observation(engine.scores.counters.bytes_held)]


def _redis(engine: Engine) -> list[Observation]:
    return [] if engine.scores is None else [Observation(int(engine.scores.counters.breaker == "closed"))]


def _building(engine: Engine) -> list[Observation]:
    return [Observation(len(retrieval_of(engine).builds.going_on))]
