"""Checks of a request for sentences that need no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from app.languages.base import Language
from app.languages.registry import language_of
from app.settings.settings import Limits
from app.tasks.keywords.forms import Keywords
from app.tasks.keywords.schemas import Length, SentencesRequest
from app.tasks.limits import too_large, too_long, too_many
from app.tasks.sampling.checks import limit_faults
from app.tasks.sampling.moves import move_faults
from app.web.codes import Code
from app.web.problems import Fault, refuse
from samplers.constraints.words import Boundaries, occurrences


def check(request: SentencesRequest, keywords: Keywords, limits: Limits) -> None:
    """Refuse what no vocabulary and no chain could mend.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    refuse([*limit_faults(request, limits), *_limits(request, keywords, limits)])
    refuse([*_keywords(keywords), *move_faults(request.sampler.moves), *_length(request.length)])


def check_language(keywords: Keywords, forbidden: Sequence[str], language: Language) -> None:
    """Refuse keywords that no sentence of a language can have, or that forbidden words forbid.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    named = list(chain.from_iterable(keywords))
    refuse(
        [
            Fault(field=name.field, code=Code.UNSPELLABLE, message=flaw[0], remedy=flaw[1])
            for name in named
            if (flaw := language.flaw(name.text) or language_of([name.text]).flaw(name.text)) is not None
        ]
    )
    refuse(
        [
            Fault(
                field=form.field,
                code=Code.FORBIDDEN_KEYWORD,
                message=f"{form.text!r} {'is' if form.text.lower() == word.lower() else 'contains'} the forbidden word "
                f"{word!r} (forbidden[{at}])",
                remedy="take the word out of one of the two",
            )
            for form in named
            for at, word in enumerate(forbidden)
            if _contains(form.text.lower(), word.lower(), language.forbidden_edges)
        ]
    )


def _contains(text: str, word: str, edges: Boundaries | None) -> bool:
    return word in text if edges is None else next(occurrences(word, text, edges(text)), None) is not None


def _limits(request: SentencesRequest, keywords: Keywords, limits: Limits) -> Iterator[Fault]:
    yield from too_large(
        [
            ("length.min", request.length.min or 0, limits.max_length),
            ("length.max", request.length.max or 0, limits.max_length),
        ]
    )
    yield from too_many("keywords", len(keywords), limits.max_keywords, "keywords")
    yield from too_many("forbidden", len(request.forbidden), limits.max_forbidden, "forbidden words")
    if len(keywords) <= limits.max_keywords:
        for number, forms in enumerate(keywords):
            yield from too_many(f"keywords[{number}]", len(forms), limits.max_keyword_forms, "forms")
            yield from too_long(forms, limits.max_keyword_characters)
    if len(request.forbidden) <= limits.max_forbidden:
        words = [(f"forbidden[{at}]", word) for at, word in enumerate(request.forbidden)]
        yield from too_long(words, limits.max_keyword_characters)


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


def _length(length: Length) -> Iterator[Fault]:
    if length.min is not None and length.max is not None and length.min > length.max:
        yield Fault(
            field="length.min",
            code=Code.CONTRADICTORY,
            message=f"the least length {length.min} is above the greatest {length.max}",
            remedy="give length.min at most length.max",
        )
