"""Reports on indexes, and updates of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.indexes.builds import Build, Builds
from app.indexes.demo import DEMO
from app.indexes.entries import keys_of
from app.indexes.library import Library
from app.indexes.problems import message_of
from app.indexes.schemas import BuildReport, Changes, IndexReport, PatchAnswer, PatchRequest, ReadReport
from app.settings.settings import Limits
from app.web.codes import Code
from app.web.problems import invalid
from models.retrieval.index.errors import CorruptIndexError, RetiredIndexError, UnknownIndexError
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.spelling_table import has_table


def list_indexes(library: Library, builds: Builds) -> list[IndexReport]:
    """All indexes, and those that are being built for the first time."""
    names = {*library.names(), *(build.name for build in builds.going_on)}
    reports = []
    for name in sorted(names):
        try:
            reports.append(report(name, library, builds))
        except UnknownIndexError:  # deleted a moment ago
            continue
    return reports


def report(name: str, library: Library, builds: Builds, *, opening: bool = False) -> IndexReport:
    """The report on an index; ``opening`` opens it if it is not, which counts its changes.

    Raises:
        UnknownIndexError: there is no such index, nor a build of it.
    """
    build = builds.of(name)
    going_on = build is not None and build.going_on
    try:
        opened = library.catalogue.is_open(name)
        if opened or opening:
            live = library.look(name)
            return _report(name, live.manifest, build, live, opened)
        return _report(name, library.catalogue.manifest(name), build)
    except UnknownIndexError:
        if build is not None:
            absent = _absent(name, "building" if build.going_on else "failed", build)
            # A build that ended since it was looked up has an index now, or has failed.
            return report(name, library, builds, opening=opening) if going_on and not build.going_on else absent
        if name == DEMO:
            return _absent(name, "on-first-use", None)
        raise
    except CorruptIndexError as error:
        damaged = _absent(name, "damaged", build)
        return damaged.model_copy(update={"failure": message_of(error, library.root)})


def _report(
    name: str, manifest: Manifest, build: Build | None, live: LiveIndex | None = None, opened: bool = False
) -> IndexReport:
    keys, changes = int(manifest.counts["keys"]), None
    size = sum(size for size, _ in manifest.files.values())
    if live is not None:
        view = live.view
        removed = len(view.removed)
        changes = Changes(keys_added=len(view) - (len(live.base) - removed), keys_removed=removed, bytes=live.log_bytes)
        keys, size = len(view), size + live.log_bytes
    return IndexReport(
        name=name,
        state="ready",
        keys=keys,
        values=int(manifest.counts["values"]),
        bytes=size,
        parts=list(manifest.key_format.parts),
        tokenizer=manifest.tokenizer,
        typos=has_table(manifest),
        opened=opened,
        changes=changes,
        report=_read_report(manifest.report),
        build=_build_report(build),
        failure=None,
    )


def _read_report(report: Mapping[str, Any]) -> ReadReport:
    given, malformed = report["lines"] - report["blank"], report["malformed"]
    note = None
    if malformed * 2 > given:
        note = f"{malformed:,} of {given:,} lines are malformed: look at the examples, and at the format"
    return ReadReport.model_validate({**report, "note": note})


def _absent(name: str, state: str, build: Build | None) -> IndexReport:
    fields = ("keys", "values", "bytes", "parts", "tokenizer", "typos", "changes", "report", "failure")
    return IndexReport.model_validate(
        {**dict.fromkeys(fields), "name": name, "state": state, "opened": False, "build": _build_report(build)}
    )


def _build_report(build: Build | None) -> BuildReport | None:
    return None if build is None else BuildReport.model_validate(build, from_attributes=True)


def check_changes(request: PatchRequest, limits: Limits) -> None:
    """Refuse an update that is empty or too large.

    Raises:
        ProblemError: 422.
    """
    if not request.add and not request.remove:
        raise invalid(
            "add", Code.NO_EFFECT, "there is nothing to add or to remove", "give at least one entry in add or remove"
        )
    count = len(request.add) + len(request.remove)
    if count > limits.max_changes:
        most = limits.max_changes
        remedy = f"give at most {most} in one request, or build the index anew"
        raise invalid("add", Code.TOO_MANY, f"{count} entries are above the limit of {most}", remedy)


def change(name: str, request: PatchRequest, library: Library) -> PatchAnswer:
    """Update an index; a search that begins when this returns sees it.

    Raises:
        RetrievalIndexError: the index cannot be opened.
        ProblemError: 422 with all faults of the entries, none of which is then applied.
    """
    try:
        return _change(name, request, library)
    except RetiredIndexError:
        # Replaced a moment ago: the new one takes the change.
        return _change(name, request, library)


def _change(name: str, request: PatchRequest, library: Library) -> PatchAnswer:
    live = library.open(name)
    added = keys_of("add", request.add, live.view, library.tokenizer)
    removed = keys_of("remove", request.remove, live.view, library.tokenizer)
    written: dict[tuple[int, ...], dict[int, str]] = {}
    for key in added:
        if key.written:
            written.setdefault(key.tokens, key.written)
    changed = live.update(
        [(key.tokens, entry.values) for key, entry in zip(added, request.add, strict=True)],
        [(key.tokens, entry.values) for key, entry in zip(removed, request.remove, strict=True)],
        written,
    )
    return PatchAnswer(index=name, keys=len(live.view), **asdict(changed))
