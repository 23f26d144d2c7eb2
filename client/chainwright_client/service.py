"""Calls of a service, as methods of both clients."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from chainwright_client import answers
from chainwright_client.answers import ENDED, Answer, IndexReport, Job, ResultLine, answering
from chainwright_client.config import Config
from chainwright_client.errors import AnswerError, ClientError, ServiceError, TimedOutError, UnreachableError
from chainwright_client.event_stream import StreamEvent
from chainwright_client.exchange import PASSING, Call, Emit, Many, One, ask, body, listen, validated
from chainwright_client.methods import series, single
from chainwright_client.tasks import Task, read_tasks
from chainwright_client.version import __version__

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Kind = Literal["results", "errors"]

PATIENCE = 300.0
"""Seconds for which a service that was there may be away, as while it is restarted."""

LEAST_PAUSE, MOST_PAUSE = 0.1, 2.0
"""Seconds between two looks at what goes on."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a job's results or errors.

    Attributes:
        content: the lines, each with its line feed.
        cursor: ``after`` of the next page.
        more: whether there may be another page, now or once more items are done.
    """

    content: bytes
    cursor: int
    more: bool

    @property
    def lines(self) -> list[ResultLine]:
        """The lines, read."""
        return [validated(ResultLine, line) for line in self.content.split(b"\n") if line]


class Service:
    """Methods of both clients, other than the tasks."""

    _http_class: type[httpx.Client | httpx.AsyncClient]

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 900.0,
        retries: int = 5,
        longest_wait: float = 60.0,
        transport: Any = None,
    ) -> None:
        self._config = config = Config(url or "", api_key or "", timeout, retries, longest_wait)
        self._tasks: dict[str, Task] = {}
        headers = {"User-Agent": f"chainwright-client/{__version__}"}
        if config.api_key:
            headers["Authorization"] = f"Bearer {config.api_key}"
        self._http: Any = self._http_class(base_url=config.url, headers=headers, transport=transport)

    @property
    def url(self) -> str:
        """URL of the service."""
        return self._config.url

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._tasks]

    @single
    def tasks(self) -> One[list[Task]]:
        """The tasks that the service has, each of which is a method; asked for once."""
        if not self._tasks:
            self._tasks = yield from ask(Call("GET", "/openapi.json", read_tasks), self._config)
        return list(self._tasks.values())

    @single
    def _call(self, name: str, fields: Mapping[str, Any]) -> One[Answer]:
        path, json = (yield from self._task(name)).request(fields)
        return answering((yield from self._ask("POST", path, Answer, json=json, slow=True)), json)

    @series
    def _stream(self, name: str, fields: Mapping[str, Any]) -> Many[StreamEvent]:
        task = yield from self._task(name)
        path, json = task.request(fields)
        if not task.streams:
            raise TypeError(f"{name} has no stream; call it for its answer")
        call = Call("POST", path, body(Answer), json=json | {"stream": True}, slow=True, streams=True)
        yield from listen(call, self._config, lambda event: event.name == "done")

    @single
    def indexes(self) -> One[list[IndexReport]]:
        """All indexes."""
        return (yield from self._ask("GET", "/v1/indexes", answers.Indexes)).indexes

    @single
    def index(self, name: str) -> One[IndexReport]:
        """One index."""
        return self._ask("GET", _path("indexes", name), IndexReport)

    @single
    def build_index(
        self,
        name: str,
        lines: Path | Iterable[str],
        *,
        format: str = "auto",
        strict: bool = False,
        both_ends: bool = False,
        typos: bool = True,
        encoding: str | None = None,
        aliases: Iterable[str] = (),
        language: str | None = None,
    ) -> One[IndexReport]:
        """Begin to build an index of lines, or of a file, without aliases; ``wait_index`` tells when it is there.

        A file may be gzipped, and in another encoding than UTF-8 if it is named or told by a byte order mark.
        """
        options: dict[str, Any] = {"format": format, "strict": strict, "both_ends": both_ends, "typos": typos}
        options |= {"language": language} if language else {}
        if isinstance(lines, Path):
            options["encoding"] = encoding
            headers = {"Content-Type": "application/octet-stream"}
            sent: dict[str, Any] = {"params": options, "headers": headers, "file": lines}
            return self._ask("PUT", _path("indexes", name), IndexReport, repeatable=False, **sent)
        json = {"name": name, "lines": list(lines), "aliases": list(aliases), **options}
        return self._ask("POST", "/v1/indexes", IndexReport, json=json, repeatable=False)

    @single
    def wait_index(self, name: str, *, timeout: float | None = None) -> One[IndexReport]:
        """An index once its build has ended, well or not.

        Raises:
            TimedOutError: it has not ended after so many seconds; it goes on.
        """

        def built(report: IndexReport) -> bool:
            return report.build is None or report.build.state in ("ready", "failed")

        return _until(lambda: Service.index.steps(self, name), built, f"index {name}", timeout)

    @single
    def change_index(
        self, name: str, *, add: Iterable[Mapping[str, Any]] = (), remove: Iterable[Mapping[str, Any]] = ()
    ) -> One[Answer]:
        """Remove and add keys and values, all or none."""
        json = {"add": list(add), "remove": list(remove)}
        return self._ask("PATCH", _path("indexes", name), Answer, json=json, repeatable=False)

    @single
    def walk_index(self, name: str, tokens: Iterable[int] = (), *, limit: int = 50, offset: int = 0) -> One[Answer]:
        """The branches of an index's trie after a prefix of tokens, each with the number of keys below it."""
        params = {"tokens": ",".join(map(str, tokens)), "limit": limit, "offset": offset}
        return self._ask("GET", _path("indexes", name, "trie"), Answer, params=params)

    @single
    def delete_index(self, name: str) -> One[None]:
        """Delete an index."""
        yield from ask(Call("DELETE", _path("indexes", name), lambda response: None, repeatable=False), self._config)

    @single
    def create_job(
        self,
        items: Iterable[Mapping[str, Any]] | bytes,
        *,
        idempotency_key: str | None = None,
        on_invalid: str | None = None,
        priority: str | None = None,
        expires_after: float | None = None,
    ) -> One[Job]:
        """Put requests into the queue: ``{custom_id, url, body}`` each, or JSON Lines of them.

        The same key and request again give the same job; without a key one is made for this call, so that its
        retries make no second job.
        """
        options = {"on_invalid": on_invalid, "priority": priority, "expires_after": expires_after}
        options = {name: value for name, value in options.items() if value is not None}
        if isinstance(items, bytes):
            headers = {"Content-Type": "application/jsonl"}
            return self._submit(idempotency_key, headers, params=options, content=items)
        return self._submit(idempotency_key, json={"items": list(items), **options})

    @single
    def job_of(
        self, /, task: str, bodies: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None, **options: Any
    ) -> One[Job]:
        """Put requests of one task into the queue, each the fields of its body.

        Options are those of :meth:`create_job`, and what stands in the task's path, such as ``index``.
        """
        url, rest = (yield from self._task(task)).route(options)
        return (yield from self._submit(idempotency_key, json={"url": url, "bodies": list(bodies), **rest}))

    @single
    def job(self, job: Job | str) -> One[Job]:
        """Progress of a job."""
        return self._ask("GET", _path("jobs", job), Job)

    @series
    def jobs(self) -> Many[Job]:
        """All jobs, newest first."""
        after: str | None = None
        while True:
            found = yield from self._ask("GET", "/v1/jobs", answers.JobList, params={"after": after, "limit": 100})
            for job in found.data:
                yield Emit(job)
            if (after := found.next_cursor) is None:
                return

    @single
    def wait(
        self, job: Job | str, *, progress: Callable[[Job], object] | None = None, timeout: float | None = None
    ) -> One[Job]:
        """A job once it has ended, however; each report meanwhile goes to ``progress``.

        Raises:
            TimedOutError: it has not ended after so many seconds; it goes on.
        """
        return _until(
            lambda: Service.job.steps(self, job), lambda report: report.ended, f"job {_id(job)}", timeout, progress
        )

    @series
    def events(self, job: Job | str, *, after: str | None = None) -> Many[StreamEvent]:
        """Events ``status`` and ``progress`` of a job to its end, from its beginning or behind an event's id."""
        headers = {"Last-Event-ID": after} if after else {}
        call = Call("GET", _path("jobs", job, "events"), body(Answer), headers=headers, slow=True, streams=True)
        return listen(call, self._config, lambda event: getattr(event.data, "status", None) in ENDED)

    @series
    def pages(self, job: Job | str, kind: Kind, *, after: int = -1, follow: bool = True) -> Many[Page]:
        """Lines of a job by pages, in the order of the items.

        Args:
            job: or its id.
            kind: results or errors.
            after: cursor of the page before.
            follow: whether to wait for what is not done; else it ends before the first item that is not.
        """
        return self._pages(job, kind, after, follow, lambda page: [page])

    @series
    def results(self, job: Job | str, *, after: int = -1, follow: bool = True) -> Many[ResultLine]:
        """Answers of a job in the order of its items, by default until it has ended; see :meth:`pages`."""
        return self._pages(job, "results", after, follow, lambda page: page.lines)

    @series
    def errors(self, job: Job | str, *, after: int = -1, follow: bool = True) -> Many[ResultLine]:
        """Items without an answer, and why; see :meth:`pages`."""
        return self._pages(job, "errors", after, follow, lambda page: page.lines)

    @single
    def cancel(self, job: Job | str) -> One[Job]:
        """Cancel a job; one that has ended stays as it is."""
        report: Job = yield from Service.job.steps(self, job)
        return report if report.ended else ((yield from Service.delete_job.steps(self, job)) or report)

    @single
    def delete_job(self, job: Job | str) -> One[Job | None]:
        """Cancel a job that runs, and delete one that has ended, with its results; None if it is deleted."""

        def read(response: httpx.Response) -> Job | None:
            return validated(Job, response.content) if response.content else None

        return ask(Call("DELETE", _path("jobs", job), read, repeatable=False), self._config)

    @single
    def workers(self) -> One[list[Answer]]:
        """Workers and what they are at."""
        return list((yield from self._ask("GET", "/v1/workers", Answer)).workers)

    @single
    def models(self) -> One[Answer]:
        """The loaded models, and the limits of requests."""
        return self._ask("GET", "/v1/models", Answer)

    @single
    def health(self) -> One[Answer]:
        """Whether the process answers."""
        return self._ask("GET", "/health", Answer)

    @single
    def ready(self) -> One[Answer]:
        """The model once it is loaded: until then a 503, which is waited for as for others."""
        return self._ask("GET", "/ready", Answer)

    def _ask(self, method: str, path: str, kind: type[M], **options: Any) -> One[M]:
        return ask(Call(method, path, body(kind), **options), self._config)

    def _task(self, name: str) -> One[Task]:
        yield from Service.tasks.steps(self)
        return self._tasks[self._checked(name)]

    def _checked(self, name: str) -> str:
        """A name that is a task's, or may be one while the tasks are not known."""
        if name.startswith("_"):
            raise AttributeError(f"a client has no attribute {name!r}", name=name)
        if self._tasks and name not in self._tasks:
            raise AttributeError(f"there is no task {name!r}; the service has {', '.join(self._tasks)}", name=name)
        return name

    def _submit(self, key: str | None, headers: Mapping[str, str] | None = None, **content: Any) -> One[Job]:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **(headers or {})}
        return self._ask("POST", "/v1/jobs", Job, headers=headers, slow=True, **content)

    def _pages(
        self, job: Job | str, kind: Kind, after: int, follow: bool, parts: Callable[[Page], Iterable[T]]
    ) -> Many[T]:
        def look() -> One[Page]:
            params = {"after": after, "limit": 1000}
            return ask(Call("GET", _path("jobs", job, kind), _page, params=params), self._config)

        pause = LEAST_PAUSE
        while True:
            page = yield from _patiently(look)
            moved, after = page.cursor > after, page.cursor
            for part in parts(page) if moved else ():
                yield Emit(part)
            if not page.more or not (moved or follow):
                return
            if moved:
                pause = LEAST_PAUSE
            else:
                yield pause
                pause = min(MOST_PAUSE, pause * 1.3)


def _until(
    look: Callable[[], One[T]],
    reached: Callable[[T], bool],
    name: str,
    timeout: float | None,
    progress: Callable[[T], object] | None = None,
) -> One[T]:
    began, pause = time.monotonic(), LEAST_PAUSE
    while True:
        report = yield from _patiently(look)
        if progress is not None:
            progress(report)
        if reached(report):
            return report
        if timeout is not None and time.monotonic() - began > timeout:
            raise TimedOutError(f"{name} has not ended within {timeout:g} seconds; it goes on")
        yield pause
        pause = min(MOST_PAUSE, pause * 1.3)


def _patiently(look: Callable[[], One[T]]) -> One[T]:
    """Answer of a service that may be away for a while, up to :data:`PATIENCE`."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return (yield from look())
        except ClientError as error:
            passes = isinstance(error, UnreachableError | TimedOutError) or (
                isinstance(error, ServiceError) and error.status in PASSING
            )
            if not passes or time.monotonic() > until:
                raise
        yield MOST_PAUSE


def _page(response: httpx.Response) -> Page:
    try:
        more = {"true": True, "false": False}[response.headers["X-Has-More"]]
        return Page(response.content, int(response.headers["X-Next-Cursor"]), more)
    except (KeyError, ValueError):
        raise AnswerError("the answer has no cursor; is the URL right?") from None


def _path(collection: str, member: Job | str, *rest: str) -> str:
    return "/".join(["/v1", collection, quote(_id(member), safe=""), *rest])


def _id(job: Job | str) -> str:
    return job if isinstance(job, str) else job.id
