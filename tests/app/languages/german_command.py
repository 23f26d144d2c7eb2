"""The command `chainwright` with German among its languages: `python -m tests.app.languages.german_command serve`."""

from __future__ import annotations

from app.cli.entry import main
from app.languages.registry import LANGUAGES
from tests.app.languages.german import German

LANGUAGES["de"] = German()

if __name__ == "__main__":
    main()
