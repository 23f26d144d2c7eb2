"""The command `chainwright doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from app.cli import console
from app.cli.doctor import machine, places, servers, sources, weights
from app.cli.doctor.finding import Finding, error
from app.settings.settings import Settings

CHECKS: tuple[Callable[[Settings], Iterable[Finding]], ...] = (
    machine.python,
    machine.memory,
    machine.device,
    sources.models,
    weights.model,
    places.directories,
    places.port,
    places.keys,
    places.variables,
    servers.scores,
    servers.queue,
    servers.collector,
)

_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, in order; a check that fails is one."""
    for check in CHECKS:
        try:
            yield from check(settings)
        except Exception as problem:  # the doctor must not die of a patient
            yield error(check.__name__, f"{type(problem).__name__}: {problem}", "tell the maintainers")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check what a service needs here, with the settings of the environment; exit code 1 if it cannot work."""
    findings = list(examine(console.read_settings()))
    if as_json:
        typer.echo(json.dumps([finding.model_dump() for finding in findings], ensure_ascii=False, indent=2))
    else:
        out = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            out.print(
                Text(f"{finding.status:8}", _COLOURS[finding.status]), f"{finding.about}: {finding.found}", markup=False
            )
            if finding.remedy:
                out.print(f"         to mend: {finding.remedy}", markup=False)
    if any(finding.status == "error" for finding in findings):
        raise typer.Exit(1)
