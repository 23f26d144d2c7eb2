"""The entry point of the command `chainwright`."""

from __future__ import annotations

import gc


def main() -> None:
    """Import the commands and run the one asked for.

    The garbage collector rests meanwhile and leaves alone what was imported: it would walk a million
    objects that all stay.
    """
    gc.disable()
    from app.cli.main import cli

    gc.freeze()
    gc.enable()
    cli()


if __name__ == "__main__":
    main()
