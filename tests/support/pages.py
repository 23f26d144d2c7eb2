"""Code blocks of the Markdown pages, in order, each with the line that it begins at."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHINESE = [ROOT / "README.zh.md", *sorted((ROOT / "docs" / "zh").glob("*.md"))]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "client/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
    *CHINESE,
]
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
REFUSED = "<!-- refused -->"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file.
        line: of the opening fence, from 1.
        kind: info string: sh, python, json, ...; empty for plain output.
        code: between the fences.
        not_run: reason of a comment ``<!-- not run: reason -->`` on the line before, else None.
        refused: whether ``<!-- refused -->`` stands there: the service is to answer with a problem.
    """

    page: Path
    line: int
    kind: str
    code: str
    not_run: str | None
    refused: bool

    @property
    def sense(self) -> str:
        """The code without its comments and layout, to tell whether two languages say the same."""
        try:
            said = shlex.split(self.code, comments=True) if self.kind == "sh" else None
        except ValueError:  # a here-document may hold a single quote
            said = None
        return f"{self.kind}: {self.code if said is None else said}"

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page.

    Raises:
        ValueError: a fence is left open.
    """
    lines = page.read_text("utf-8").splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        before = lines[start - 1] if start else ""
        reason = NOT_RUN.fullmatch(before)
        code = "".join(f"{each}\n" for each in lines[start + 1 : number])
        yield Block(page, start + 1, lines[start][3:], code, reason and reason[1], before == REFUSED)
        start = None
    if start is not None:
        raise ValueError(f"{page}:{start + 1}: the block has no end")
