"""Texts of a request for corrections, checked and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.languages.choice import Named, candidates, choose_language, choose_vocabulary
from app.languages.registry import LANGUAGES
from app.settings.settings import Limits
from app.tasks.corrections.language import CorrectedLanguage
from app.tasks.corrections.registry import CORRECTED
from app.tasks.corrections.schemas import CorrectionsRequest
from app.tasks.limits import Bound, above
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, refuse
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from models.text.normalisation import normalise


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
    language: CorrectedLanguage
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
        try:
            sources.append(_source(number, given, request, model))
        except ProblemError as error:
            faults += error.faults
    refuse([*faults, *_unmet(request, sources)])
    return sources


def _source(number: int, given: str, request: CorrectionsRequest, model: LoadedModel) -> Source:
    """A text, read.

    Raises:
        ProblemError: 422, no errors of its language are known, or it cannot be spelled.
    """
    text = "".join(normal if len(normal := normalise(c)) == 1 else c for c in given)
    named = Named(f"texts[{number}]", text)
    language = choose_language(request.language, [text])
    if request.language == "auto" and not any(map(str.isalpha, text)):
        language = LANGUAGES[next(iter(CORRECTED))]  # there is nothing to read in it
    if (corrected := CORRECTED.get(language.code)) is None:
        fault = Fault(
            field=named.field,
            code=Code.UNKNOWN_VALUE,
            message=f"{text[:40]!r} is in {language.name}, in which no errors are looked for",
            remedy=f"leave it out, or set language to one of {', '.join(CORRECTED)}",
        )
        raise ProblemError(422, [fault])
    choose_vocabulary(language, [named], model.vocabulary, Vocabulary.spell)
    return Source(number, given, text, corrected, model.vocabulary(candidates(language, [text])[-1]))


def _unmet(request: CorrectionsRequest, sources: Sequence[Source]) -> Iterator[Fault]:
    """What of a request no text can meet."""
    for number, word in enumerate(request.protect):
        if not any(word in source.text for source in sources):
            yield Fault(
                field=f"protect[{number}]",
                code=Code.NOT_FOUND,
                message=f"{word[:40]!r} stands in none of the texts",
                remedy="write it as the text does, or leave it out; names need not stand there",
            )
    for number, pair in enumerate(request.edits):
        if pair.old == pair.new:
            yield Fault(
                field=f"edits[{number}]",
                code=Code.NO_EFFECT,
                message=f"old and new are both {pair.old[:40]!r}",
                remedy="give another new, or put the word under protect or names to keep it",
            )
    languages = {source.language.language.code: source.language for source in sources}
    known = {kind for language in languages.values() for kind in (*language.kinds, *language.optional)}
    for number, kind in enumerate(request.kinds or ()):
        if known and kind not in known:
            yield Fault(
                field=f"kinds[{number}]",
                code=Code.NO_EFFECT,
                message=f"{kind} is no kind of error in {' or '.join(languages)}",
                remedy=f"leave it out, or give one of {', '.join(sorted(known))}",
            )


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
