"""What can be known to be wrong with a request before any model runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.languages.base import Language
from app.languages.choice import Named
from app.languages.registry import language_of
from app.settings.settings import Limits
from app.tasks.keywords.schemas import SentencesRequest
from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from samplers.constraints.words import Boundaries, occurrences


def forms_of(request: SentencesRequest) -> list[list[str]]:
    """For each keyword its distinct forms, in the order given."""
    return [list(dict.fromkeys([keyword] if isinstance(keyword, str) else keyword)) for keyword in request.keywords]


def form_field(request: SentencesRequest, keyword: int, form: str) -> str:
    """The field in which a form of a keyword came."""
    given = request.keywords[keyword]
    return f"keywords[{keyword}]" if isinstance(given, str) else f"keywords[{keyword}][{given.index(form)}]"


def check(request: SentencesRequest, limits: Limits) -> None:
    """Refuse what no vocabulary and no chain could mend.

    Raises:
        ProblemError: 422, a fault for each finding.
    """
    faults = list(_limits(request, limits)) or [*_keywords(request), *_moves(request), *_length(request)]
    if faults:
        raise ProblemError(422, faults[:20])


def check_forbidden(named: Sequence[Named], forbidden: Sequence[str], language: Language) -> None:
    """Refuse a keyword that is, or contains, a forbidden word: as a whole word or any substring, by the language.

    Raises:
        ProblemError: 422, a fault for each such pair.
    """
    faults = [
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
    if faults:
        raise ProblemError(422, faults[:20])


def check_keywords(named: Sequence[Named], language: Language) -> None:
    """Refuse a keyword that no sentence can have, by the request's language and by the one that it is in.

    Raises:
        ProblemError: 422, a fault for each such keyword.
    """
    faults = [
        Fault(field=name.field, code=Code.UNSPELLABLE, message=flaw[0], remedy=flaw[1])
        for name in named
        if (flaw := language.flaw(name.text) or language_of([name.text]).flaw(name.text)) is not None
    ]
    if faults:
        raise ProblemError(422, faults[:20])


def _contains(text: str, word: str, edges: Boundaries | None) -> bool:
    return word in text if edges is None else next(occurrences(word, text, edges(text)), None) is not None


def _limits(request: SentencesRequest, limits: Limits) -> Iterator[Fault]:
    sampler = request.sampler
    numbers = [
        ("sampler.chains", sampler.chains, limits.max_chains),
        ("sampler.steps", sampler.steps, limits.max_steps),
        ("samples", request.samples, limits.max_samples),
        ("length.min", request.length.min or 0, limits.max_length),
        ("length.max", request.length.max or 0, limits.max_length),
    ]
    for name, value, most in numbers:
        if value > most:
            yield Fault(
                field=name,
                code=Code.TOO_LARGE,
                message=f"{value} is above the limit of {most}",
                remedy=f"give at most {most}",
            )
    counts: list[tuple[str, Sequence[object], int, str]] = [
        ("keywords", request.keywords, limits.max_keywords, "keywords"),
        ("forbidden", request.forbidden, limits.max_forbidden, "forbidden words"),
        ("context", request.context or "", limits.max_context_characters, "characters"),
    ]
    for name, items, most, noun in counts:
        if len(items) > most:
            yield Fault(
                field=name,
                code=Code.TOO_LONG if name == "context" else Code.TOO_MANY,
                message=f"{len(items)} {noun} are above the limit of {most}",
                remedy=f"give at most {most} {noun}",
            )
    if len(request.keywords) <= limits.max_keywords:
        for number, forms in enumerate(forms_of(request)):
            if len(forms) > limits.max_keyword_forms:
                yield Fault(
                    field=f"keywords[{number}]",
                    code=Code.TOO_MANY,
                    message=f"{len(forms)} forms are above the limit of {limits.max_keyword_forms}",
                    remedy=f"give at most {limits.max_keyword_forms} forms",
                )
            words = [(form_field(request, number, form), form) for form in forms]
            yield from _too_long(words, limits.max_keyword_characters)
    if len(request.forbidden) <= limits.max_forbidden:
        words = [(f"forbidden[{i}]", word) for i, word in enumerate(request.forbidden)]
        yield from _too_long(words, limits.max_keyword_characters)


def _too_long(words: Sequence[tuple[str, str]], most: int) -> Iterator[Fault]:
    for name, word in words:
        if len(word) > most:
            yield Fault(
                field=name,
                code=Code.TOO_LONG,
                message=f"{len(word)} characters are above the limit of {most}",
                remedy=f"give at most {most} characters",
            )


def _keywords(request: SentencesRequest) -> Iterator[Fault]:
    first: dict[frozenset[str], int] = {}
    for number, forms in enumerate(forms_of(request)):
        same = first.setdefault(frozenset(forms), number)
        if same != number:
            yield Fault(
                field=f"keywords[{number}]",
                code=Code.DUPLICATE,
                message=f"{forms[0]!r} is the same keyword as keywords[{same}]",
                remedy="give each keyword once",
            )
        for form in forms:
            if not any(c.isalnum() for c in form):
                yield Fault(
                    field=form_field(request, number, form),
                    code=Code.MALFORMED,
                    message=f"{form!r} has no letter, character or digit",
                    remedy="give a word; punctuation comes by itself",
                )


def _moves(request: SentencesRequest) -> Iterator[Fault]:
    moves = request.sampler.moves
    if (moves.insert > 0) != (moves.delete > 0):
        zero, other = ("insert", "delete") if moves.insert == 0 else ("delete", "insert")
        yield Fault(
            field=f"sampler.moves.{zero}",
            code=Code.CONTRADICTORY,
            message=f"{zero} has no weight but {other} has: each is the other's reverse",
            remedy="give both a weight above 0, or both 0",
        )
    if not any(weight > 0 for weight in dict(moves).values()):
        yield Fault(
            field="sampler.moves",
            code=Code.CONTRADICTORY,
            message="every weight is 0",
            remedy="give at least one move a weight above 0",
        )


def _length(request: SentencesRequest) -> Iterator[Fault]:
    least, most = request.length.min, request.length.max
    if least is not None and most is not None and least > most:
        yield Fault(
            field="length.min",
            code=Code.CONTRADICTORY,
            message=f"the least length {least} is above the greatest {most}",
            remedy="give length.min at most length.max",
        )
