"""Builds in the background."""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from app.indexes.formats import AnyFormat, File, is_triples
from app.indexes.library import Library
from app.indexes.problems import message_of
from app.web.codes import Code
from app.web.problems import Fault, ProblemError

log = structlog.get_logger()

MOST_WAITING = 4
"""Builds that run or wait; one runs at a time, since a build takes memory and a core."""

MOST_KEPT = 256
"""Builds that are remembered when they are done."""


class _StoppedError(Exception):
    """The service stops."""


@dataclass(eq=False)
class Build:
    """A build and how far it is; see :class:`app.indexes.schemas.BuildReport`."""

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
        """Since it was asked for, until it was done."""
        return (self._ended or time.monotonic()) - self._began

    def end(self, failure: str | None = None) -> None:
        """Note that it is done."""
        self._ended = time.monotonic()
        self.failure = failure
        self.state = "ready" if failure is None else "failed"


@dataclass(frozen=True, slots=True)
class Upload:
    """Lines that came in, in a folder of their own that the build removes.

    Attributes:
        folder: holds ``lines`` and perhaps ``aliases``.
        format: of the lines.
        strict: refuse malformed lines.
        both_ends: see :meth:`app.indexes.formats.File.source`.
        typos: let misspelt names be found.
        encoding: of the lines, if they have no byte order mark.
        most: bytes that they may have when unpacked.
    """

    folder: Path
    format: AnyFormat
    strict: bool
    both_ends: bool
    typos: bool
    encoding: str | None = None
    most: int | None = None


@dataclass(eq=False)
class Builds:
    """Runs builds one after another in threads that end with the process: a build may be killed at any time.

    Attributes:
        library: where indexes are built.
    """

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
            fault = Fault(
                field="name",
                code=Code.IN_USE,
                message=f"the index {name!r} is being built",
                remedy=f"wait; see /v1/indexes/{name}",
            )
            raise ProblemError(409, [fault])
        if len(self.going_on) >= MOST_WAITING:
            fault = Fault(
                field="",
                code=Code.BUSY,
                message=f"{MOST_WAITING} indexes are being built or wait for it, the most this service takes",
                remedy="try again after the seconds that the Retry-After header gives",
            )
            raise ProblemError(429, [fault], {"Retry-After": "10"})

    def start(self, name: str, upload: Upload) -> Build:
        """Begin a build.

        Raises:
            ProblemError: see :meth:`check`.
        """
        self.check(name)
        build = Build(name)
        self._builds.pop(name, None)
        for old in [other for other, each in self._builds.items() if not each.going_on][
            : len(self._builds) - MOST_KEPT
        ]:
            del self._builds[old]
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
                lines = File(upload.folder / "lines", upload.format, upload.encoding, upload.most)
                aliases = File(upload.folder / "aliases")
                chosen = lines.chosen()
                self.library.build(
                    build.name,
                    [lines.source(chosen, both_ends=upload.both_ends)],
                    triples=is_triples(chosen),
                    aliases=[aliases.aliases()] if aliases.path.exists() else [],
                    strict=upload.strict,
                    typos=upload.typos,
                    progress=progress,
                )
            build.end()
            log.info("index built", index=build.name, seconds=round(build.seconds, 3))
        except Exception as error:  # whatever it is, the build's report must tell it
            build.end(message_of(error, self.library.root))
            log.warning("index not built", index=build.name, reason=build.failure)
        finally:
            shutil.rmtree(upload.folder, ignore_errors=True)
