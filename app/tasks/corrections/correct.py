"""From a request for corrections to its answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

from app.engine.engine import Engine
from app.engine.reports import UsageReport
from app.engine.session import fits, open_session
from app.languages.base import Language
from app.languages.choice import Named, candidates, choose_language, choose_vocabulary
from app.languages.registry import LANGUAGES
from app.settings.settings import Limits
from app.tasks.corrections.chinese import KINDS, ChineseLattices
from app.tasks.corrections.contexts import REGISTERS, likeliest
from app.tasks.corrections.drawn import Drawn
from app.tasks.corrections.pieces import PIECE_CHARACTERS, pieces_of
from app.tasks.corrections.posterior import Variant, applied, chosen, variants_of
from app.tasks.corrections.schemas import Alternative, Correction, CorrectionsRequest, EditReport
from app.tasks.limits import Bound, above
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, refuse
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from models.text.normalisation import normalise
from samplers.lattices.beam import Beam, search
from samplers.lattices.lattice import Lattice

BEAM = Beam(width=6, margin=10.0, branch=7.0, horizon=10)
"""What is looked at of each lattice (benchmarks/corrections.json)."""
ROOM = 2 * PIECE_CHARACTERS
"""Tokens that a piece has at most: rare characters take several."""
AT_ONCE = 48
"""Pieces that are searched side by side."""
DRAWN_AHEAD = 8
"""Lattices that are drawn while the model reads."""


Piece = tuple[int, Sequence[Variant]]
"""Where a piece of a text begins, and what may be meant by it."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text of a request.

    Attributes:
        number: in the request.
        given: as given.
        text: what the model reads of it, character by character the same or in its normal form.
        language: what it is written in.
        vocabulary: the mask that spells it, with what may be meant by it.
    """

    number: int
    given: str
    text: str
    language: Language
    vocabulary: Vocabulary


def sources_of(request: CorrectionsRequest, model: LoadedModel, limits: Limits) -> list[Source]:
    """Check a request and read its texts; may build a vocabulary, so keep it off the event loop.

    Raises:
        ProblemError: 422.
    """
    refuse(list(above(_bounds(request, limits))))
    faults: list[Fault] = []
    sources: list[Source] = []
    for number, given in enumerate(request.texts):
        text = "".join(normal if len(normal := normalise(c)) == 1 else c for c in given)
        named = Named(f"texts[{number}]", text)
        language = choose_language(request.language, [text])
        if request.language == "auto" and not any(map(str.isalpha, text)):
            language = LANGUAGES[CODES[0]]  # there is nothing to read in it
        if language.code not in CODES:
            faults.append(
                Fault(
                    field=named.field,
                    code=Code.UNKNOWN_VALUE,
                    message=f"{text[:40]!r} is in {language.name}, in which no errors are looked for",
                    remedy=f"leave it out, or set language to one of {', '.join(CODES)}",
                )
            )
            continue
        try:
            choose_vocabulary(language, [named], model.vocabulary, Vocabulary.spell)
        except ProblemError as error:
            faults += error.faults
        else:
            widest = model.vocabulary(candidates(language, [text])[-1])
            sources.append(Source(number, given, text, language, widest))
    faults += [
        Fault(
            field=f"protect[{number}]",
            code=Code.NOT_FOUND,
            message=f"{word[:40]!r} stands in none of the texts",
            remedy="write it as the text does, or leave it out; names need not stand there",
        )
        for number, word in enumerate(request.protect)
        if not any(word in source.text for source in sources)
    ]
    faults += [
        Fault(
            field=f"edits[{number}]",
            code=Code.NO_EFFECT,
            message=f"old and new are both {pair.old[:40]!r}",
            remedy="give another new, or put the word under protect or names to keep it",
        )
        for number, pair in enumerate(request.edits)
        if pair.old == pair.new
    ]
    refuse(faults)
    return sources


CODES = ("zh",)
"""Codes of the languages in which errors are known."""


def _bounds(request: CorrectionsRequest, limits: Limits) -> Iterator[Bound]:
    yield Bound("texts", request.texts, limits.max_texts, "texts in one request")
    for number, text in enumerate(request.texts):
        yield Bound(f"texts[{number}]", text, limits.max_text_characters)
    yield Bound("texts", "".join(request.texts), limits.max_corrected_characters)
    yield Bound("context", request.context, limits.max_context_characters)
    lists = {
        "protect": {f"protect[{number}]": word for number, word in enumerate(request.protect)},
        "names": {f"names[{number}]": word for number, word in enumerate(request.names)},
        "edits": {
            f"edits[{number}].{side}": word
            for number, pair in enumerate(request.edits)
            for side, word in (("old", pair.old), ("new", pair.new))
        },
    }
    for name, words in lists.items():
        yield Bound(name, list(words), limits.max_listed, "words")
        yield from (Bound(field_, word, limits.max_keyword_characters) for field_, word in words.items())


@dataclass(eq=False)
class CorrectionRun:
    """The corrections of a request, as they come.

    Attributes:
        request: the request.
        sources: its texts.
        engine: which reads them.
        usage: work done so far.
    """

    request: CorrectionsRequest
    sources: Sequence[Source]
    engine: Engine
    usage: UsageReport = field(default_factory=lambda: UsageReport(lm_calls=0, lm_tokens=0, recalled=0))

    async def corrections(self) -> AsyncIterator[tuple[int, Correction]]:
        """Each with the number of its text, in the order in which they are done.

        Raises:
            ProblemError: 422, the context is too long.
        """
        async for source, pieces in self.readings():
            yield source.number, self._correction(source, pieces)

    async def readings(self) -> AsyncIterator[tuple[Source, Sequence[Piece]]]:
        """Each text with the variants of its pieces, in the order in which they are done.

        Raises:
            ProblemError: 422, the context is too long.
        """
        together: dict[tuple[Language, Vocabulary], list[Source]] = {}
        for source in self.sources:
            together.setdefault((source.language, source.vocabulary), []).append(source)
        for (language, vocabulary), sources in together.items():
            contexts, asked = REGISTERS[language.code], self.request.context
            if asked is not None or not all(fits(self.engine, each, ROOM) for each in contexts):
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
        session = await open_session(self.engine, vocabulary.name, context, ROOM)
        lattices = await asyncio.to_thread(
            lambda: ChineseLattices(
                vocabulary,
                KINDS if self.request.kinds is None else self.request.kinds,
                pairs=[(pair.old, pair.new) for pair in self.request.edits],
                names=self.request.names,
                protected=self.request.protect,
            )
        )
        pieces = [(source, start, piece) for source in sources for start, piece in pieces_of(source.text)]
        missing = {source: len(list(pieces_of(source.text))) for source in sources}
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

        found: dict[Source, dict[int, Sequence[Variant]]] = {source: {} for source in sources}
        booked = (0, 0)
        with session.sampling():
            async for number, paths in search(session, draw(), BEAM, AT_ONCE):
                source, start, _ = pieces[number]
                found[source][start] = variants_of(paths, drawn.pop(number))
                missing[source] -= 1
                if not missing[source]:
                    self.usage.lm_calls += session.usage.lm_calls - booked[0]
                    self.usage.lm_tokens += session.usage.lm_tokens - booked[1]
                    booked = (session.usage.lm_calls, session.usage.lm_tokens)
                    yield source, sorted(found.pop(source).items())

    def _correction(self, source: Source, pieces: Sequence[Piece]) -> Correction:
        edits = [
            EditReport(
                start=start + edit.start,
                end=start + edit.end,
                old=source.given[start + edit.start : start + edit.end],
                new=edit.new,
                kind=edit.kind,
                confidence=confidence,
            )
            for start, variants in pieces
            for edit, confidence in chosen(variants, self.request.confidence)
        ]
        target = applied([(each.start, each.end, each.new) for each in edits], source.given)
        return Correction(
            source=source.given,
            target=target,
            changed=bool(edits),
            edits=edits,
            alternatives=self._alternatives(source, pieces, target),
            language=source.language.code,
        )

    def _alternatives(self, source: Source, pieces: Sequence[Piece], target: str) -> list[Alternative]:
        """Other readings, each another in one of the pieces than the densest."""
        best = sum(variants[0].log_density for _, variants in pieces)
        densest = {start: variants[0] for start, variants in pieces}
        readings = {
            self._read(source, {**densest, start: variant}): best + variant.log_density - variants[0].log_density
            for start, variants in pieces
            for variant in variants
        }
        readings.pop(target, None)
        ordered = sorted(readings.items(), key=lambda each: -each[1])[: self.request.alternatives]
        return [Alternative(target=text, log_density=density) for text, density in ordered]

    @staticmethod
    def _read(source: Source, variants: dict[int, Variant]) -> str:
        edits = [(start + e.start, start + e.end, e.new) for start, each in variants.items() for e in each.edits]
        return applied(sorted(edits), source.given)
