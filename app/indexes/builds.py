"""Builds in the background."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from app.indexes.formats import AnyFormat, File, is_triples, sources_of
from app.indexes.library import Library
from app.indexes.problems import message_of
from app.web.codes import Code
from app.web.problems import failure

log = structlog.get_logger()

MAX_WAITING = 4
"""Builds that run or wait, at most; one runs at a time, since a build takes memory and a core."""

MAX_REPORTS = 256
"""Builds whose reports are kept when they are done, at most."""


class _StoppedError(Exception):
    """The service is shutting down."""


@dataclass(eq=False)
class Build:
    """Progress of a build; see :class:`app.indexes.schemas.BuildReport`."""

    name: str
    state: Literal["waiting", "building", "ready", "failed"] = "waiting"
    step: str = ""
    done: int = 0
    total: int = 0
    failure: str | None = None
    _began: float = field(default_factory=time.monotonic)
    _ended: float | None = None

    @property
    def going_on(self) -> bool:
        """Whether it is not done yet."""
        return self.state in ("waiting", "building")

    @property
    def seconds(self) -> float:
        """From the request to the end, or to now."""
        return (self._ended or time.monotonic()) - self._began

    def end(self, failure: str | None = None) -> None:
        """Note that it is done."""
        self._ended = time.monotonic()
        self.failure = failure
        self.state = "ready" if failure is None else "failed"


@dataclass(frozen=True, slots=True)
class Upload:
    """Lines that came in, in a folder of their own that the build removes, and options of the build."""

    folder: Path  # of the files ``lines`` and perhaps ``aliases``
    format: AnyFormat
    strict: bool
    both_ends: bool
    typos: bool
    encoding: str | None = None  # of the lines, if they have no byte order mark
    most: int | None = None  # bytes that they may have when unpacked
    language: str | None = None  # of names in RDF


@dataclass(eq=False)
class Builds:
    """Builds, run one after another in threads that end with the process: a build may be killed at any time."""

    library: Library
    _builds: dict[str, Build] = field(default_factory=dict)
    _one: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def of(self, name: str) -> Build | None:
        """The last build of an index."""
        return self._builds.get(name)

    @property
    def going_on(self) -> list[Build]:
        """Builds that are not done."""
        return [build for build in self._builds.values() if build.going_on]

    def check(self, name: str) -> None:
        """Refuse a build that could not begin.

        Raises:
            ProblemError: 409 if the index is being built, 429 if too many are.
        """
        last = self._builds.get(name)
        if last is not None and last.going_on:
            message, remedy = f"the index {name!r} is being built", f"wait; see /v1/indexes/{name}"
            raise failure(409, Code.IN_USE, message, remedy, field="name")
        if len(self.going_on) >= MAX_WAITING:
            raise failure(
                429,
                Code.BUSY,
                f"{MAX_WAITING} indexes are being built or wait for it, the most this service takes",
                "try again after the seconds that the Retry-After header gives",
                headers={"Retry-After": "10"},
            )

    def start(self, name: str, upload: Upload) -> Build:
        """Begin a build, if :meth:`check` allows it."""
        self.check(name)
        build = Build(name)
        self._builds.pop(name, None)
        done = [other for other, each in self._builds.items() if not each.going_on]
        for other in done[: len(self._builds) - MAX_REPORTS]:
            del self._builds[other]
        self._builds[name] = build
        threading.Thread(target=self._run, args=(build, upload), name=f"build {name}", daemon=True).start()
        return build

    def forget(self, name: str) -> bool:
        """Drop the report of a build that is done; whether there was one."""
        last = self._builds.get(name)
        if last is None or last.going_on:
            return False
        del self._builds[name]
        return True

    def stop(self) -> None:
        """Let builds end at their next step."""
        self._stopped.set()

    def _run(self, build: Build, upload: Upload) -> None:
        def progress(step: str, done: int, total: int) -> None:
            if self._stopped.is_set():
                raise _StoppedError("the service stopped")
            build.step, build.done, build.total = step, done, total

        try:
            with self._one:
                build.state = "building"
                progress("reading", 0, 0)
                lines = File(upload.folder / "lines", upload.format, upload.encoding, upload.most, upload.language)
                aliases = File(upload.folder / "aliases")
                chosen = lines.chosen()
                self.library.build(
                    build.name,
                    sources_of([lines], [chosen], both_ends=upload.both_ends),
                    triples=is_triples(chosen),
                    aliases=[aliases.aliases()] if aliases.path.exists() else [],
                    strict=upload.strict,
                    typos=upload.typos,
                    progress=progress,
                )
            build.end()
            log.info("index built", index=build.name, seconds=round(build.seconds, 3))
        except Exception as error:  # of any kind: the build's report holds it
            build.end(message_of(error, self.library.root))
            log.warning("index not built", index=build.name, reason=build.failure)
        finally:
            shutil.rmtree(upload.folder, ignore_errors=True)
