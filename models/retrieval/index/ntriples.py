"""N-Triples and N-Quads (RDF 1.1): statements, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from models.retrieval.index.key_format import join_entity
from models.retrieval.index.labels import GraphFile, Labels
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Row
from models.text.files import read_blocks
from models.text.normalisation import normalise_name

NAMING = ("http://www.w3.org/2000/01/rdf-schema#label", "http://www.w3.org/2004/02/skos/core#prefLabel")
"""Properties whose literals are a node's names, the better first."""
LANGUAGES = ("zh", "en", "")
"""Languages in which a node's name is looked for, the better first; "" for a literal of none. Others come last."""

_NAMING_BYTES = tuple(each.encode() for each in NAMING)
_STATEMENT = re.compile(r"\s*(<[^<>]*>|_:\S+)\s*<[^<>]*>\s*[<_\"]")
_DISAMBIGUATED = re.compile(r"(.+?)_\(([^()]+)\)")
_AT_LINE = re.compile(r"^Parser error at line 1 ")


@dataclass(frozen=True)
class NTriples(GraphFile):
    """Lines of subject, predicate and object; the graph of a quad is not kept.

    Attributes:
        language: in which a node's name is looked for before :data:`LANGUAGES`; None for these alone.
    """

    language: str | None = None

    def named(self) -> Iterator[tuple[str, str, int]]:
        """See :class:`GraphFile`; only lines that name something are parsed."""
        languages = (*([self.language.lower()] if self.language else ()), *LANGUAGES)
        for block in read_blocks(self.path, self.encoding, most=self.most):
            if not any(name in block.body for name in _NAMING_BYTES):
                continue
            for line in block.body.split(b"\n"):
                if any(name in line for name in _NAMING_BYTES) and (quad := _named_in(line)) is not None:
                    literal: Literal = quad.object  # type: ignore[assignment]
                    language = _rank(literal.language or "", languages)
                    rank = NAMING.index(quad.predicate.value) * (len(languages) + 1) + language
                    yield _id(quad.subject), literal.value, rank

    def rows(self, report: Report) -> Iterator[Row]:
        """See :class:`GraphFile`."""
        labels = self.known
        for block in self.blocks(report):
            texts, faults = block.decoded()
            for at, text in enumerate(texts):
                try:
                    if at in faults:
                        raise ValueError(faults[at])
                    quad = _quad_of(text)
                    row = _row(quad, labels) if quad is not None else None
                except ValueError as error:
                    report.refuse(self.name, block.first + at, str(error))
                    continue
                if quad is None:
                    report.blank += 1
                elif row is None:
                    report.unused += 1
                else:
                    yield row, block.first + at, block.done


def is_statement(line: str) -> bool:
    """Whether a line looks like a statement."""
    return _STATEMENT.match(line) is not None


@lru_cache(1 << 16)
def local_name(iri: str) -> str:
    """What an IRI ends in, behind the last ``/`` or ``#``, readable: decoded, with spaces for underscores.

    ``Mercury_(planet)``, as Wikipedia tells titles apart, becomes a name with a meaning.
    """
    path = iri.rstrip("/#")
    local = re.split(r"[/#]", path)[-1] if re.search(r"[/#]", path) else path.rpartition(":")[2]
    with suppress(UnicodeDecodeError):
        local = unquote(local, errors="strict")
    if found := _DISAMBIGUATED.fullmatch(local):
        local = join_entity(*found.groups())
    return local.replace("_", " ").strip() or iri


def _quad_of(line: str | bytes) -> Quad | None:
    """The statement of a line; None of a blank line or a comment.

    Raises:
        ValueError: the line is no statement.
    """
    try:
        # IRIs are names here: one with a space in it, as dumps have them, is no worse a name.
        return next(iter(list(parse(line, format=RdfFormat.N_QUADS, lenient=True))), None)
    except SyntaxError as error:
        raise ValueError(f"not N-Triples: {_AT_LINE.sub('', str(error.msg))}") from error


def _named_in(line: bytes) -> Quad | None:
    """The statement of a line if it names something."""
    try:
        quad = _quad_of(line)
    except ValueError:
        return None
    named = quad is not None and quad.predicate.value in NAMING and isinstance(quad.object, Literal)
    return quad if named else None


def _rank(language: str, languages: tuple[str, ...]) -> int:
    """Place of a language tag among languages, regions aside; behind the last if it is none of them."""
    for at, each in enumerate(languages):
        if language.lower() == each or (each and language.lower().startswith(f"{each}-")):
            return at
    return len(languages)


def _row(quad: Quad, labels: Labels) -> tuple[str, str, str] | None:
    """Subject, predicate and object as they are shown; None if there is nothing to be asked.

    Raises:
        ValueError: a statement about a statement, or an empty literal.
    """
    subject, value = _shown(quad.subject, labels), _shown(quad.object, labels)
    if subject is None or value is None:
        return None
    if not value:
        raise ValueError("the object is empty")
    if quad.predicate.value in NAMING and normalise_name(value) == labels.plain(_id(quad.subject)):
        return None
    predicate = labels.plain(quad.predicate.value) or local_name(quad.predicate.value)
    return subject, predicate, value


def _shown(term: object, labels: Labels) -> str | None:
    """A term in words: its label, else its local name; None for a blank node without a label."""
    if isinstance(term, Literal):
        return term.value
    if isinstance(term, NamedNode):
        local = local_name(term.value)
        return labels.of(term.value, local) or local
    if isinstance(term, BlankNode):
        return labels.of(_id(term), term.value)
    raise ValueError("a statement about a statement")


def _id(term: object) -> str:
    return term.value if isinstance(term, NamedNode) else str(term)
