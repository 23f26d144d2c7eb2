"""`chainwright netcdf`: an answer's trace as a netCDF file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import console
from app.web.codes import Code
from app.web.problems import Fault
from chainwright_client import to_arviz

INSTALL = "pip install 'chainwright-client[arviz]'"


def netcdf(
    answer: Annotated[Path, typer.Argument(help="JSON that `sentences --trace summary --json` or a route gave; or -.")],
    output: Annotated[Path, typer.Argument(help="The netCDF file to write.")],
) -> None:
    """Write the draws of a traced answer as netCDF, for ArviZ."""
    try:
        content = sys.stdin.read() if str(answer) == "-" else answer.read_text("utf-8")
        read: Any = json.loads(content)
    except (OSError, ValueError) as error:
        _refuse("ANSWER", f"it is no JSON file: {error}", "give what a command with --json printed")
    try:
        tree = to_arviz(read)
    except ImportError as error:
        _refuse("", str(error).partition(";")[0], INSTALL)
    except (ValueError, KeyError, TypeError, AttributeError):
        _refuse("ANSWER", "it is no answer with a trace", "ask with --trace summary or --trace edits")
    try:
        tree.to_netcdf(output, engine="h5netcdf")
    except (ImportError, ModuleNotFoundError) as error:
        _refuse("", str(error), INSTALL)
    except OSError as error:
        _refuse("OUTPUT", f"it cannot be written: {error}", "give a path in a folder that there is")


def _refuse(field: str, message: str, remedy: str) -> Any:
    console.fail([Fault(field=field, code=Code.UNUSABLE_FILE, message=message, remedy=remedy)])
