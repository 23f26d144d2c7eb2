"""Labels of a graph's nodes, which its lines know by IRI or number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from models.retrieval.index.key_format import join_entity
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Batch, Row, TextFile, in_batches
from models.text.normalisation import normalise_name


@dataclass(frozen=True)
class GraphFile(TextFile, ABC):
    """A file of a graph, whose nodes are named in any of its files.

    Attributes:
        labels: of all its files; None: of this file alone.
    """

    labels: Labels | None = field(default=None, kw_only=True)

    @property
    def known(self) -> Labels:
        """Labels of the graph."""
        return self.labels or Labels([self])

    @abstractmethod
    def named(self) -> Iterator[tuple[str, str, int]]:
        """Nodes and names, some more than once, and the rank of each name: the least is shown."""

    @abstractmethod
    def rows(self, report: Report) -> Iterator[Row]:
        """Its triples; lines that cannot be read go to the report."""

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """See :class:`models.retrieval.index.sources.Source`.

        Raises:
            ValueError: the keys are no triples.
        """
        if fields != 2:
            raise ValueError("a graph is one of triples")
        return in_batches(self.rows(report), fields + 1)


@dataclass(frozen=True)
class Labels:
    """Labels of all nodes that have one, read from a graph's files when first asked for.

    Memory: these nodes and their labels. Nodes of one label are told apart by a meaning.
    """

    files: Sequence[GraphFile]

    @cached_property
    def _labels(self) -> dict[str, str]:
        labels: dict[str, str] = {}
        ranks: dict[str, int] = {}  # of those that are not the least
        for file in self.files:
            for node, name, rank in file.named():
                if (name := normalise_name(name)) and (node not in labels or rank < ranks.get(node, 0)):
                    labels[node] = name
                    if rank:
                        ranks[node] = rank
                    else:
                        ranks.pop(node, None)
        return labels

    @cached_property
    def _shared(self) -> set[str]:
        """Labels of several nodes."""
        return {label for label, times in Counter(self._labels.values()).items() if times > 1}

    def plain(self, node: str) -> str | None:
        """The label of a node, without a meaning."""
        return self._labels.get(node)

    def of(self, node: str, meaning: str) -> str | None:
        """The label of a node, with a meaning if other nodes have it too; None if the node has none."""
        label = self._labels.get(node)
        return join_entity(label, meaning) if label in self._shared and label is not None else label


def with_labels(files: Iterable[GraphFile]) -> list[GraphFile]:
    """Files of one graph, each with the labels of all."""
    files = list(files)
    labels = Labels(files)
    return [replace(file, labels=labels) for file in files]
