"""The service's routes as functions that describe a call: all that both clients know of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import BaseModel
from typing_extensions import Unpack

from app.client.call import Call, Stream, answer, validated
from app.client.errors import AnswerError
from app.client.options import JobOptions, ScoreOptions, SearchOptions, SentencesOptions
from app.indexes.formats import AnyFormat
from app.indexes.schemas import Addition, Indexes, IndexReport, PatchAnswer, Removal
from app.jobs.schemas import Item, Job, JobList, ResultLine, Worker, Workers
from app.ops.schemas import Health, Models, Ready
from app.tasks.sampling.schemas import Sentence, SentencesAnswer, StepReport
from app.tasks.score.schemas import ScoreAnswer
from app.tasks.search.schemas import Answered, SearchAnswer

Keyword = str | Sequence[str]
"""A word, or its forms of which any will do."""

Kind = Literal["results", "errors"]

SENTENCE_EVENTS: Mapping[str, type[BaseModel]] = {"sentence": Sentence, "step": StepReport, "done": SentencesAnswer}
SEARCH_EVENTS: Mapping[str, type[BaseModel]] = {"answer": Answered, "done": SearchAnswer}


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of /results or /errors.

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


def sentences(keywords: Sequence[Keyword], **options: Unpack[SentencesOptions]) -> Call[SentencesAnswer]:
    """Sentences that hold all the keywords."""
    body = {"keywords": keywords, **options}
    return Call("POST", "/v1/sentences", answer(SentencesAnswer), json=body, slow=True)


def stream(
    keywords: Sequence[Keyword], **options: Unpack[SentencesOptions]
) -> Stream[Sentence | StepReport | SentencesAnswer]:
    """The same while the chains run: each better sentence, steps, and at the end the answer."""
    body = {"keywords": keywords, **options, "stream": True}
    call = Call("POST", "/v1/sentences", answer(SentencesAnswer), json=body, slow=True)
    return Stream(call, SENTENCE_EVENTS, "done")


def score(texts: Sequence[str], **options: Unpack[ScoreOptions]) -> Call[ScoreAnswer]:
    """Log-probs of texts."""
    return Call("POST", "/v1/score", answer(ScoreAnswer), json={"texts": texts, **options}, slow=True)


def search(index: str, queries: str | Sequence[str], **options: Unpack[SearchOptions]) -> Call[SearchAnswer]:
    """Keys of an index that answer a question, or each of several."""
    body = {"queries": [queries] if isinstance(queries, str) else queries, **options}
    return Call("POST", f"/v1/indexes/{index}/search", answer(SearchAnswer), json=body, slow=True)


def stream_search(
    index: str, queries: str | Sequence[str], **options: Unpack[SearchOptions]
) -> Stream[Answered | SearchAnswer]:
    """The same, each question as soon as it is answered, and at the end all."""
    body = {"queries": [queries] if isinstance(queries, str) else queries, **options, "stream": True}
    call = Call("POST", f"/v1/indexes/{index}/search", answer(SearchAnswer), json=body, slow=True)
    return Stream(call, SEARCH_EVENTS, "done")


def indexes() -> Call[list[IndexReport]]:
    """All indexes."""
    return Call("GET", "/v1/indexes", lambda response: validated(Indexes, response.content).indexes)


def index(name: str) -> Call[IndexReport]:
    """One index."""
    return Call("GET", f"/v1/indexes/{name}", answer(IndexReport))


def build_index(
    name: str,
    lines: Path | Iterable[str],
    *,
    format: AnyFormat = "auto",
    strict: bool = False,
    typos: bool = True,
    encoding: str | None = None,
    aliases: Iterable[str] = (),
) -> Call[IndexReport]:
    """Begin to build an index of a file, without aliases, or of lines; ``wait_index`` tells when it is there.

    A file may be gzipped, and in another encoding than UTF-8 if it is named or told by a byte order mark.
    """
    if isinstance(lines, Path):
        params = {"format": format, "strict": strict, "typos": typos, "encoding": encoding}
        headers = {"Content-Type": "application/octet-stream"}
        return Call(
            *("PUT", f"/v1/indexes/{name}", answer(IndexReport)),
            params=params,
            headers=headers,
            file=lines,
            repeatable=False,
        )
    body = {
        "name": name,
        "lines": list(lines),
        "format": format,
        "strict": strict,
        "typos": typos,
        "aliases": list(aliases),
    }
    return Call("POST", "/v1/indexes", answer(IndexReport), json=body, repeatable=False)


def change_index(
    name: str,
    *,
    add: Sequence[Addition | Mapping[str, Any]] = (),
    remove: Sequence[Removal | Mapping[str, Any]] = (),
) -> Call[PatchAnswer]:
    """Add and remove keys and values."""
    body = {"add": add, "remove": remove}
    return Call("PATCH", f"/v1/indexes/{name}", answer(PatchAnswer), json=body, repeatable=False)


def delete_index(name: str) -> Call[None]:
    """Delete an index."""
    return Call("DELETE", f"/v1/indexes/{name}", lambda response: None, repeatable=False)


def create_job(
    items: Iterable[Item | Mapping[str, Any]] | bytes | None = None,
    *,
    url: str | None = None,
    bodies: Iterable[Mapping[str, Any]] | None = None,
    idempotency_key: str | None = None,
    **options: Unpack[JobOptions],
) -> Call[Job]:
    """Put requests into the queue: items or JSON Lines of them, or bodies for one url.

    The same key and request again give the same job; without a key one is made for this call, so that its
    retries make no second job.
    """
    headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
    if isinstance(items, bytes):
        headers["Content-Type"] = "application/jsonl"
        return Call("POST", "/v1/jobs", answer(Job), params=options, headers=headers, content=items, slow=True)
    body: dict[str, Any] = dict(options)
    given = {"items": items and list(items), "url": url, "bodies": bodies and list(bodies)}
    body |= {name: value for name, value in given.items() if value is not None}
    return Call("POST", "/v1/jobs", answer(Job), json=body, headers=headers, slow=True)


def job(job: Job | str) -> Call[Job]:
    """How far a job is."""
    return Call("GET", f"/v1/jobs/{id_of(job)}", answer(Job))


def job_page(after: str | None) -> Call[JobList]:
    """Some jobs, newest first."""
    return Call("GET", "/v1/jobs", answer(JobList), params={"after": after, "limit": 100})


def delete_job(job: Job | str) -> Call[Job | None]:
    """Cancel a job that runs, and delete one that has ended, with its results; None if it is deleted."""

    def read(response: httpx.Response) -> Job | None:
        return validated(Job, response.content) if response.content else None

    return Call("DELETE", f"/v1/jobs/{id_of(job)}", read, repeatable=False)


def page(job: Job | str, kind: Kind, after: int = -1, limit: int = 1000) -> Call[Page]:
    """Some lines, in the order of the items."""

    def read(response: httpx.Response) -> Page:
        try:
            more = {"true": True, "false": False}[response.headers["X-Has-More"]]
            return Page(response.content, int(response.headers["X-Next-Cursor"]), more)
        except (KeyError, ValueError):
            raise AnswerError("the answer has no cursor; is the URL right?") from None

    return Call("GET", f"/v1/jobs/{id_of(job)}/{kind}", read, params={"after": after, "limit": limit})


def workers() -> Call[list[Worker]]:
    """Who works."""
    return Call("GET", "/v1/workers", lambda response: validated(Workers, response.content).workers)


def models() -> Call[Models]:
    """The loaded model, and the limits of requests."""
    return Call("GET", "/v1/models", answer(Models))


def health() -> Call[Health]:
    """Whether the process answers."""
    return Call("GET", "/health", answer(Health))


def ready() -> Call[Ready]:
    """Whether the model is loaded: a 503 until then, which is waited for as for others."""
    return Call("GET", "/ready", answer(Ready))


def id_of(job: Job | str) -> str:
    """A job's id."""
    return job if isinstance(job, str) else job.id
