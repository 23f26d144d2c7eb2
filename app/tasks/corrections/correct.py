"""From a request for corrections to its answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from app.engine.engine import Engine
from app.engine.reports import UsageReport
from app.engine.session import fits, open_session, scorer_report
from app.tasks.corrections.contexts import likeliest
from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.edit_odds import agreeing
from app.tasks.corrections.edits import Edit, applied
from app.tasks.corrections.kinds import Kind, least_confidence
from app.tasks.corrections.language import CorrectedLanguage, Lattices, Wanted
from app.tasks.corrections.listed import Listed
from app.tasks.corrections.pieces import pieces_of
from app.tasks.corrections.posterior import Variant, chosen, variants_of
from app.tasks.corrections.registry import CORRECTED
from app.tasks.corrections.schemas import (
    Alternative,
    Correction,
    CorrectionReport,
    CorrectionsAnswer,
    CorrectionsRequest,
    EditReport,
)
from app.tasks.corrections.single_edits import SingleEdits
from app.tasks.corrections.sources import Source
from models.language.vocabulary import Vocabulary
from models.odds import Features
from samplers.lattices.beam import Beam, search
from samplers.lattices.lattice import Lattice

BEAM = Beam(width=6, margin=10.0, branch=7.0, horizon=10)
"""What is looked at of each lattice (benchmarks/corrections_spelling_zh.json)."""
TOKENS = 2
"""Tokens that a character of a piece has at most, on the average: rare ones take several."""
AT_ONCE = 48
"""Pieces that are searched side by side."""
DRAWN_AHEAD = 8
"""Lattices that are drawn while the model reads."""


_READING = Lock()
_READ: set[str] = set()
"""Codes of the languages whose tables are read."""


def _lattices(language: CorrectedLanguage, vocabulary: Vocabulary, wanted: Wanted, text: str) -> Lattices:
    """The lattices of a request; the first one reads the tables, by a text of its own, while others wait."""
    code = language.language.code
    if code not in _READ:
        with _READING:
            if code not in _READ:
                every = frozenset([*language.kinds, *language.optional])
                language.lattices(vocabulary, Wanted(every)).draw(text)
                # A text without letters needs no tables.
                _READ.update([code] if any(map(str.isalpha, text)) else [])
    return language.lattices(vocabulary, wanted)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, read.

    Attributes:
        start: where it begins.
        variants: what may be meant by it, the densest first.
        single: edits that may be made, each by itself.
    """

    start: int
    variants: Sequence[Variant]
    single: Sequence[tuple[Edit, Features]] = ()


@dataclass(eq=False)
class CorrectionRun:
    """The corrections of a request, as they come.

    Attributes:
        request: the request.
        sources: its texts.
        engine: which reads them.
        usage: work done so far.
        done: corrections so far, by the number of their text.
    """

    request: CorrectionsRequest
    sources: Sequence[Source]
    engine: Engine
    usage: UsageReport = field(default_factory=lambda: UsageReport(lm_calls=0, lm_tokens=0, recalled=0))
    done: dict[int, Correction] = field(default_factory=dict)

    async def answers(self) -> AsyncGenerator[CorrectionReport]:
        """Each with the number of its text, in the order in which they are done.

        Raises:
            ProblemError: 422, the context is too long.
        """
        async for source, pieces in self.readings():
            correction = self.done[source.number] = self._correction(source, pieces)
            yield CorrectionReport(number=source.number, correction=correction)

    def answer(self) -> CorrectionsAnswer:
        """All of them and what they cost."""
        return CorrectionsAnswer(
            corrections=[self.done[number] for number in range(len(self.done))],
            usage=self.usage,
            model=scorer_report(self.engine.model),
        )

    async def readings(self) -> AsyncIterator[tuple[Source, Sequence[Piece]]]:
        """Each text with the variants of its pieces, in the order in which they are done.

        Raises:
            ProblemError: 422, the context is too long.
        """
        together: dict[tuple[str, Vocabulary], list[Source]] = {}
        for source in self.sources:
            together.setdefault((source.language.language.code, source.vocabulary), []).append(source)
        for (code, vocabulary), sources in together.items():
            contexts, asked = CORRECTED[code].contexts, self.request.context
            room = TOKENS * CORRECTED[code].piece
            if asked is not None or not all(fits(self.engine, each, room) for each in contexts):
                contexts = (asked or "",)
            texts = [source.text for source in sources]
            numbers = await likeliest(self.engine, vocabulary, texts, contexts, self.usage)
            for number, context in enumerate(contexts):
                if alike := [source for source, its in zip(sources, numbers, strict=True) if its == number]:
                    async for each in self._searched(context, vocabulary, alike):
                        yield each

    async def _searched(
        self, context: str, vocabulary: Vocabulary, sources: Sequence[Source]
    ) -> AsyncIterator[tuple[Source, Sequence[Piece]]]:
        """Those of texts under one context and vocabulary."""
        language, request = sources[0].language, self.request
        session = await open_session(self.engine, vocabulary.name, context, TOKENS * language.piece)
        wanted = Wanted(
            kinds=frozenset(language.kinds if request.kinds is None else request.kinds),
            pairs=[(pair.old, pair.new) for pair in request.edits],
            names=request.names,
            protected=request.protect,
        )
        of_source = {source: list(pieces_of(source.text, language.piece)) for source in sources}
        pieces = [(source, start, piece) for source, its in of_source.items() for start, piece in its]
        longest = max((piece for _, _, piece in pieces), key=len)
        lattices = await asyncio.to_thread(_lattices, language, vocabulary, wanted, longest)
        missing = {source: len(its) for source, its in of_source.items()}
        drawn: dict[int, Drawn] = {}

        async def draw() -> AsyncIterator[Lattice]:
            """The pieces' lattices, some of them drawn ahead while the model reads."""
            ahead: deque[asyncio.Task[Drawn]] = deque()
            for number in range(len(pieces)):
                while len(ahead) < DRAWN_AHEAD and number + len(ahead) < len(pieces):
                    following = pieces[number + len(ahead)][2]
                    ahead.append(asyncio.create_task(asyncio.to_thread(lattices.draw, following)))
                drawn[number] = await ahead.popleft()
                yield drawn[number].lattice

        found: dict[Source, list[Piece]] = {source: [] for source in sources}
        booked = (0, 0)
        kinds = wanted.kinds.intersection(language.single)
        edits = SingleEdits(session, vocabulary, language.propose, kinds, Listed(wanted).kept)
        async with edits.read([piece for _, _, piece in pieces]) as single:
            with session.sampling():
                async for number, paths in search(session, draw(), BEAM, AT_ONCE):
                    source, start, _ = pieces[number]
                    variants = variants_of(paths, drawn.pop(number))
                    found[source].append(Piece(start, variants, await single(number)))
                    missing[source] -= 1
                    if not missing[source]:
                        self.usage.lm_calls += session.usage.lm_calls - booked[0]
                        self.usage.lm_tokens += session.usage.lm_tokens - booked[1]
                        booked = (session.usage.lm_calls, session.usage.lm_tokens)
                        yield source, sorted(found.pop(source), key=lambda piece: piece.start)

    def _correction(self, source: Source, pieces: Sequence[Piece]) -> Correction:
        edits = [
            EditReport(
                start=piece.start + edit.start,
                end=piece.start + edit.end,
                old=source.given[piece.start + edit.start : piece.start + edit.end],
                new=edit.new,
                kind=edit.kind,
                confidence=confidence,
            )
            for piece in pieces
            for edit, confidence in self._chosen(source, piece)
        ]
        target = applied([(each.start, each.end, each.new) for each in edits], source.given)
        return Correction(
            source=source.given,
            target=target,
            changed=bool(edits),
            edits=edits,
            alternatives=self._alternatives(source, pieces, target),
            language=source.language.language.code,
        )

    def _chosen(self, source: Source, piece: Piece) -> list[tuple[Edit, float]]:
        """The edits that are made in a piece, from left to right, each with its confidence."""

        def least(kind: Kind) -> float:
            return least_confidence(kind, self.request.confidence)

        return agreeing(chosen(piece.variants, source.language.calibration), piece.single, least)

    def _alternatives(self, source: Source, pieces: Sequence[Piece], target: str) -> list[Alternative]:
        """Other readings, each another in one of the pieces than the densest."""
        densest = {piece.start: piece.variants[0] for piece in pieces}
        best = sum(variant.log_density for variant in densest.values())
        readings = {
            self._read(source, {**densest, piece.start: variant}): best
            + variant.log_density
            - piece.variants[0].log_density
            for piece in pieces
            for variant in piece.variants
        }
        readings.pop(target, None)
        ordered = sorted(readings.items(), key=lambda each: -each[1])[: self.request.alternatives]
        return [Alternative(target=text, log_density=density) for text, density in ordered]

    @staticmethod
    def _read(source: Source, variants: dict[int, Variant]) -> str:
        edits = [(start + e.start, start + e.end, e.new) for start, each in variants.items() for e in each.edits]
        return applied(sorted(edits), source.given)
