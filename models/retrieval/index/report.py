"""Report of a build: counts of lines, and examples of malformed ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.retrieval.index.errors import MalformedInputError

MAX_EXAMPLES = 20

OnProgress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


@dataclass
class Report:
    """Counts of a build."""

    strict: bool = False  # refuse the first malformed line
    lines: int = 0  # blank and malformed ones too
    blank: int = 0
    unused: int = 0  # that give names, or are about what has none
    malformed: int = 0
    duplicates: int = 0  # pairs of key and value that came again
    examples: list[tuple[str, int, str]] = field(default_factory=list)  # source, line (from 1) and fault of the first

    def refuse(self, source: str, line: int, fault: str) -> None:
        """Count a line out.

        Raises:
            MalformedInputError: the report is strict.
        """
        if self.strict:
            raise MalformedInputError(
                f"{source}, line {line}: {fault}; mend it, or build without strict to leave it out"
            )
        self.malformed += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append((source, line, fault))

    def summary(self) -> str:
        """In one line, the first fault with it."""
        if not self.lines:
            return "there are no lines"
        counts = f"{self.lines:,} lines, {self.blank:,} blank, {self.malformed:,} malformed"
        if not self.examples:
            return counts
        source, line, fault = self.examples[0]
        return f"{counts}, the first of them {source}, line {line}: {fault}"

    def as_json(self) -> dict[str, Any]:
        """The report as it stands in a manifest."""
        return {
            "lines": self.lines,
            "blank": self.blank,
            "unused": self.unused,
            "malformed": self.malformed,
            "duplicates": self.duplicates,
            "examples": [{"source": source, "line": line, "fault": fault} for source, line, fault in self.examples],
        }
