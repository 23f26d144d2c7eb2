"""Contradictions between the texts that a request asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from app.languages.base import Language
from app.languages.choice import Named
from app.tasks.keywords.fixed import Fixed, sure_occurrences
from app.tasks.keywords.forms import Keywords
from app.web.codes import Code
from app.web.problems import Fault
from samplers.constraints.base import Constraint
from samplers.constraints.counts import count
from samplers.constraints.listed_words import unlisted
from samplers.constraints.opening import CapitalOpening
from samplers.constraints.repeats import MOST, is_long
from samplers.state import State


def contradictions(
    fixed: Fixed, keywords: Keywords, forbidden: Sequence[str], language: Language, stutter: bool
) -> Iterator[Fault]:
    """What excludes what, told from the texts alone.

    Args:
        fixed: the texts.
        keywords: all of them.
        forbidden: words that may not occur.
        language: of the sentences.
        stutter: whether a long word may stand any number of times.
    """
    for text in {each.field: each for each in fixed.named}.values():
        for at, word in enumerate(forbidden):
            if count(word, text.text, language.forbidden_edges):
                yield _contradiction(
                    text.field,
                    f"{text.text!r} contains the forbidden word {word!r} (forbidden[{at}])",
                    "take the word out of one of the two",
                )
        for start, stop in unlisted(text.text, fixed.words, language.word_spans) if fixed.words is not None else ():
            yield _contradiction(
                text.field,
                f"{text.text!r} has the word {text.text[start:stop]!r}, which the vocabulary lacks",
                "add it to vocabulary.words, or take it out here",
            )
    if fixed.clauses is not None and fixed.clauses.fault is not None:
        yield fixed.clauses.fault
    yield from _counts(fixed, keywords, language, stutter)


def opening_faults(opening: Named | None, constraints: Sequence[Constraint]) -> Iterator[Fault]:
    """Openings without the capital that the language asks for."""
    if opening is None:
        return
    for constraint in constraints:
        if isinstance(constraint, CapitalOpening) and constraint.violation(State((), ()), opening.text):
            yield _contradiction(
                opening.field,
                f"{opening.text!r} opens in lower case, and sentences of this language open with a capital",
                "begin it with a capital",
            )


def _counts(fixed: Fixed, keywords: Keywords, language: Language, stutter: bool) -> Iterator[Fault]:
    laid = [[each.text] for each in fixed.named] + [[form.text for form in forms] for forms in fixed.placed]
    for number, each in enumerate(fixed.counts):
        field = f"counts[{number}]"
        if not each.at_least and each.at_most is None:
            yield Fault(
                field=field,
                code=Code.NO_EFFECT,
                message="it has neither at_least nor at_most",
                remedy="give one of them, or leave the entry out",
            )
        elif each.at_most is not None and each.at_most < each.at_least:
            yield _contradiction(
                f"{field}.at_least",
                f"at least {each.at_least} is more than at most {each.at_most}",
                "give at_least at most at_most",
            )
        elif each.at_most is not None and (sure := sure_occurrences(each.phrase, laid, language)) > each.at_most:
            texts = chain(*keywords, fixed.named)
            fields = (text.field for text in texts if count(each.phrase, text.text, language.forbidden_edges))
            where = ", ".join(dict.fromkeys(fields))
            yield _contradiction(
                f"{field}.at_most",
                f"{each.phrase!r} stands in texts that every sentence holds ({where}), {sure} in all",
                f"give at least {sure}, or take it out of them",
            )
        blocks = sum(all(form.lower() == each.phrase.lower() for form in forms) for forms in laid)
        if blocks > MOST and not stutter and is_long(each.phrase):
            yield _contradiction(
                f"{field}.at_least",
                f"{each.phrase!r} {blocks} times is a repeat: a longer word stands at most {MOST} times",
                "set allow_repeats, or give a smaller number",
            )


def _contradiction(field: str, message: str, remedy: str) -> Fault:
    return Fault(field=field, code=Code.CONTRADICTORY, message=message, remedy=remedy)
