"""Checks of a request for sentences that need no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from app.languages.base import Language
from app.languages.registry import language_of
from app.settings.settings import Limits
from app.tasks.keywords.forms import Keywords
from app.tasks.keywords.schemas import Length, SentencesRequest, WordList
from app.tasks.limits import Bound, above
from app.tasks.sampling.checks import checked_options
from app.tasks.sampling.forbidden import forbidden_faults
from app.web.codes import Code
from app.web.problems import Fault, refuse


def check(request: SentencesRequest, keywords: Keywords, language: Language, limits: Limits) -> None:
    """Refuse what no vocabulary and no chain could mend.

    Args:
        request: the request.
        keywords: its keywords in normal form.
        language: of its sentences.
        limits: the most that a request may ask for.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    bounds, faults = checked_options(request, limits)
    bounds += _bounds(keywords, request.forbidden, request.length, limits)
    refuse(list(above([*bounds, *_text_bounds(request, limits)])))
    refuse([*_keywords(keywords), *faults, *_length(request.length), *_vocabulary(request.vocabulary, language)])
    refuse([*_acrostic(request.acrostic)])
    named = list(chain.from_iterable(keywords))
    refuse(
        [
            Fault(field=name.field, code=Code.UNSPELLABLE, message=flaw[0], remedy=flaw[1])
            for name in named
            if (flaw := language.flaw(name.text) or language_of([name.text]).flaw(name.text)) is not None
        ]
    )
    refuse(list(forbidden_faults(named, request.forbidden, language)))


def _bounds(keywords: Keywords, forbidden: Sequence[str], length: Length, limits: Limits) -> Iterator[Bound]:
    yield Bound("length.min", length.min, limits.max_length)
    yield Bound("length.max", length.max, limits.max_length)
    yield Bound("keywords", keywords, limits.max_keywords, "keywords")
    yield Bound("forbidden", forbidden, limits.max_forbidden, "forbidden words")
    # Of a list that is too long itself no item is looked at.
    for number, forms in enumerate(keywords if len(keywords) <= limits.max_keywords else []):
        yield Bound(f"keywords[{number}]", forms, limits.max_keyword_forms, "forms")
        yield from (Bound(form.field, form.text, limits.max_keyword_characters) for form in forms)
    for at, word in enumerate(forbidden if len(forbidden) <= limits.max_forbidden else []):
        yield Bound(f"forbidden[{at}]", word, limits.max_keyword_characters)


def _text_bounds(request: SentencesRequest, limits: Limits) -> Iterator[Bound]:
    yield Bound("starts_with", request.starts_with, limits.max_keyword_characters)
    yield Bound("ends_with", request.ends_with, limits.max_keyword_characters)
    yield Bound("acrostic", request.acrostic, limits.max_keywords)
    yield Bound("counts", request.counts, limits.max_keywords, "phrases")
    yield Bound("counts", sum(counted.at_least for counted in request.counts), limits.max_keywords)
    for number, counted in enumerate(request.counts):
        yield Bound(f"counts[{number}].phrase", counted.phrase, limits.max_keyword_characters)


def _keywords(keywords: Keywords) -> Iterator[Fault]:
    first: dict[frozenset[str], int] = {}
    for number, forms in enumerate(keywords):
        same = first.setdefault(frozenset(form.text for form in forms), number)
        if same != number:
            yield Fault(
                field=f"keywords[{number}]",
                code=Code.DUPLICATE,
                message=f"{forms[0].text!r} is the same keyword as keywords[{same}]",
                remedy="give each keyword once",
            )
        for form in forms:
            if not any(c.isalnum() for c in form.text):
                yield Fault(
                    field=form.field,
                    code=Code.MALFORMED,
                    message=f"{form.text!r} has no letter, character or digit",
                    remedy="give a word; punctuation comes by itself",
                )


def _vocabulary(vocabulary: WordList | None, language: Language) -> Iterator[Fault]:
    if vocabulary is not None and vocabulary.function_words and not language.function_words:
        yield Fault(
            field="vocabulary.function_words",
            code=Code.NO_EFFECT,
            message=f"there is no list of function words for {language.name}",
            remedy="leave it out, and give them among vocabulary.words",
        )


def _acrostic(characters: str | None) -> Iterator[Fault]:
    if stray := next((c for c in characters or "" if not c.isalnum()), None):
        yield Fault(
            field="acrostic",
            code=Code.MALFORMED,
            message=f"{stray!r} opens no clause",
            remedy="give letters, characters or digits alone; marks and spaces come by themselves",
        )


def _length(length: Length) -> Iterator[Fault]:
    if length.min is not None and length.max is not None and length.min > length.max:
        yield Fault(
            field="length.min",
            code=Code.CONTRADICTORY,
            message=f"the least length {length.min} is above the greatest {length.max}",
            remedy="give length.min at most length.max",
        )
