"""The command `chainwright bundle`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.cli import console
from app.cli.bundle.contents import assemble, total_bytes
from app.cli.bundle.wheels import WheelError, build
from app.web.codes import Code
from app.web.problems import Fault

ROOT = Path(__file__).parents[3]
"""Of the source tree, where this runs from one."""

ARCHIVES = {".tar": "tar", ".tgz": "gztar", ".tar.gz": "gztar"}


def bundle(
    target: Annotated[
        Path,
        typer.Argument(help="A new folder, or a file whose name ends in .tar, .tgz or .tar.gz.", show_default=False),
    ],
    extra: Annotated[
        list[str] | None, typer.Option(help="An optional part besides, such as similarity; may be repeated.")
    ] = None,
    source: Annotated[Path, typer.Option(help="The source tree to build from.", show_default=False)] = ROOT,
) -> None:
    """Pack everything for machines without a network: packages, the default model, licences and an install.sh.

    They need the Python version and the kind of processor of this one.
    """
    if target.exists():
        _refuse("TARGET", f"{target} is there already", "name a new folder or file")
    if not target.absolute().parent.is_dir():
        _refuse("TARGET", f"there is no folder {target.absolute().parent}", "make it first")
    archive = next((end for end in ARCHIVES if target.name.endswith(end)), "")
    name = target.name.removesuffix(archive)
    try:
        with tempfile.TemporaryDirectory(prefix=".chainwright-bundle-", dir=target.absolute().parent) as scratch:
            wheels = build(source, extra or [], Path(scratch) / "wheels")
            typer.echo(f"Packing {len(wheels)} packages", err=True)
            folder = assemble(Path(scratch) / name, wheels, extra or [])
            size = total_bytes(folder)
            if archive:
                made = shutil.make_archive(str(Path(scratch) / "made"), ARCHIVES[archive], scratch, name)
                Path(made).rename(target)
            else:
                folder.rename(target)
    except WheelError as error:
        console.fail([Fault.parse(error, Code.UNAVAILABLE)])
    except OSError as error:
        _refuse("TARGET", f"it cannot be written ({error.strerror or error})", "free some disk, or name another place")
    typer.echo(f"{target}: {len(wheels)} packages, {size / 1e6:.0f} MB. There: sh install.sh FOLDER")


def _refuse(field: str, message: str, remedy: str) -> NoReturn:
    console.fail([Fault(field=field, code=Code.UNUSABLE_FILE, message=message, remedy=remedy)])
