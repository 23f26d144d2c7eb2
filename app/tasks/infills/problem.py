"""From a request to fill blanks to a sampling problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from app.languages.base import Language, count_characters
from app.languages.choice import Named, choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.infills.blanks import BlankedText
from app.tasks.infills.schemas import Blank, FillLength, Infill, InfillsRequest
from app.tasks.infills.skeletons import Fill, fill_of, laid_out
from app.tasks.limits import Bound, above
from app.tasks.sampling.checks import checked_options
from app.tasks.sampling.contexts import contexts_of
from app.tasks.sampling.forbidden import forbidden_faults
from app.tasks.sampling.pattern import compiled
from app.tasks.sampling.problem import SamplingProblem, View
from app.web.codes import Code
from app.web.problems import Fault, invalid, refuse
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.framed import Framed
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.leading_space import LeadingSpace
from samplers.constraints.length import LengthBounds
from samplers.constraints.part import InPart, Part
from samplers.constraints.pattern import Pattern
from samplers.constraints.repeats import NoStutter
from samplers.first_states import KeywordBlocks
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.redraw_span import RedrawSpan
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
from samplers.moves.shift import Shift
from samplers.state import State
from samplers.target import Target
from samplers.trace import Visit

MOST_BLANKS = 16
"""Blanks of one text."""

Tokens = tuple[int, ...]


def make_problem(request: InfillsRequest, model: LoadedModel, limits: Limits) -> SamplingProblem:
    """Check a request and make a problem of it; may build a vocabulary, so keep it off the event loop.

    The blocks are, in this order, what stands around the blanks and between them the keywords of each; free tokens
    stand in blanks alone.

    Raises:
        ProblemError: 422, with what is wrong and how to mend it.
    """
    language = choose_language(request.language, [request.text])
    text = BlankedText.of(request.text, language)
    blanks = _checked(request, text, language, limits)
    words = [Named(f"blanks[{n}].keywords[{k}]", w) for n, one in enumerate(blanks) for k, w in enumerate(one.keywords)]
    refuse(list(forbidden_faults(words, request.forbidden, language)))
    around = [Named("text", each) for each in text.texts if each]
    kept = {word.text for word in words}

    def spell(vocabulary: Vocabulary, written: str) -> None:
        """Each segment with what goes before it where it stands."""
        for number, each in enumerate(text.texts):
            if each == written:
                text.spelling(number, language, vocabulary)
        if written in kept:
            vocabulary.spellings(written)

    vocabulary = choose_vocabulary(language, [*around, *words], model.vocabulary, spell)
    decode = vocabulary.decode
    ends = [token for token in vocabulary.end_tokens if text.mark in ("", vocabulary.piece(token))]
    end = min(ends, key=lambda token: vocabulary.piece(token) != language.full_stop)
    forms: list[list[Tokens]] = []
    written: list[list[str]] = []
    segments: list[int | None] = []
    fills: list[Fill] = []
    for number in range(text.blanks + 1):
        spelled = text.spelling(number, language, vocabulary)
        segments.append(len(forms) if spelled else None)
        if spelled:
            forms.append([spelled])
            written.append([text.texts[number]])
        if number < text.blanks:
            blank, first = blanks[number], len(forms)
            forms += [vocabulary.spellings(word) for word in blank.keywords]
            written += [[word] for word in blank.keywords]
            spaced = text.spaced_before(number, language)
            keywords, field = range(first, len(forms)), f"blanks[{number}].pattern"
            fills.append(fill_of(blank.pattern, keywords, forms[first:], vocabulary, end, spaced, field))
    parts = [Part(after, before) for after, before in pairwise(segments)]
    constraints: list[Constraint] = [*_language_constraints(language, written, segments, forms, decode)]
    constraints.append(Framed(segments[0], segments[-1], frozenset(ends)))
    room = 0
    for number, (blank, part) in enumerate(zip(blanks, parts, strict=True)):
        length = _bounds(number, blank, language, limits)
        room += length.maximum or 0
        of_part: list[Constraint] = [length]
        if blank.keywords:
            of_part.append(AllKeywords([[word] for word in blank.keywords], language.edges, ordered=True))
        if request.forbidden:
            of_part.append(ForbiddenWords(request.forbidden, language.forbidden_edges))
        if blank.pattern is not None:
            of_part.append(Pattern(compiled(blank.pattern, vocabulary, f"blanks[{number}].pattern")))
        if text.spaced_before(number, language):
            of_part.append(LeadingSpace(vocabulary.piece, True))
        constraints += [InPart(part, each, decode) for each in of_part]
    if not request.allow_repeats:
        constraints.append(NoStutter(decode))
    target = Target(decode, constraints, objective=request.sampler.objective)
    laid = [None if number is None else (number, forms[number][0]) for number in segments]
    blocks = KeywordBlocks(
        forms,
        ordered=True,
        end=end,
        opening=[] if segments[0] is None else [segments[0]],
        closing=[] if segments[-1] is None else [segments[-1]],
        skeleton=laid_out(laid, fills, end) if any(blank.pattern for blank in blanks) else None,
    )
    measured = LengthBounds(language.measure("tokens"))
    return SamplingProblem(
        language=language,
        vocabulary=vocabulary,
        target=target,
        length=measured,
        unit="tokens",
        moves=_moves(forms, parts[-1], frozenset(vocabulary.end_tokens), constraints),
        source=blocks,
        contexts=contexts_of(request.context, request.proposals, language, [w.text for w in words], model.chat),
        max_tokens=sum(len(each[0]) for each in forms) + 1 + 3 * room,
        field="text",
        remedy="loosen what stands in blanks or is forbidden, leave room around the blanks as between words, or try "
        "another seed",
        view=_view(text, parts, vocabulary),
    )


def _checked(request: InfillsRequest, text: BlankedText, language: Language, limits: Limits) -> Sequence[Blank]:
    """What is asked of each blank.

    Raises:
        ProblemError: 422.
    """
    bounds, faults = checked_options(request, limits)
    blanks = request.blanks if request.blanks is not None else [Blank()] * text.blanks
    bounds += [
        Bound("text", request.text, limits.max_text_characters),
        Bound("text", [None] * text.blanks, MOST_BLANKS, "blanks"),
        Bound("forbidden", request.forbidden, limits.max_forbidden, "words"),
        Bound("blanks", [word for one in blanks for word in one.keywords], limits.max_keywords, "keywords"),
    ]
    for number, one in enumerate(blanks):
        field = f"blanks[{number}]"
        bounds += [
            Bound(f"{field}.length.{end}", getattr(one.length, end), limits.max_length) for end in ("min", "max")
        ]
        bounds += [
            Bound(f"{field}.keywords[{k}]", word, limits.max_keyword_characters) for k, word in enumerate(one.keywords)
        ]
    refuse(list(above(bounds)))
    refuse([*faults, *_blank_faults(blanks, text, language)])
    return blanks


def _blank_faults(blanks: Sequence[Blank], text: BlankedText, language: Language) -> Iterator[Fault]:
    if len(blanks) != text.blanks:
        yield Fault(
            field="blanks",
            code=Code.TOO_FEW if len(blanks) < text.blanks else Code.TOO_MANY,
            message=f"the text has {text.blanks} blanks and blanks has {len(blanks)} entries",
            remedy="give one entry for each, {} where anything may stand, or leave blanks out",
        )
    for number in range(text.blanks):
        if text.inside_word(number, language):
            yield Fault(
                field="text",
                code=Code.MALFORMED,
                message=f"blank {number} stands inside a word or against one, and a part of a word is not filled in",
                remedy="leave a space between the blank and the letters beside it",
            )
    for number, one in enumerate(blanks):
        if one.length.max is not None and one.length.max < one.length.min:
            yield Fault(
                field=f"blanks[{number}].length.max",
                code=Code.CONTRADICTORY,
                message=f"{one.length.max} is less than length.min, {one.length.min}",
                remedy=f"give at least {one.length.min}",
            )


def _language_constraints(
    language: Language, written: list[list[str]], segments: Sequence[int | None], forms: list[list[Tokens]], decode: Any
) -> Iterator[Constraint]:
    """The language's, without those that the text's own opening breaks: i went to ___.

    Where the text has an end of its own, the closing token is not judged beside it: 我们去___吗? may end so.
    """
    opening, closing = segments[0], segments[-1]
    for constraint in language.constraints(written, decode):
        if opening is not None:
            begun = State(forms[opening][0], (opening,) * len(forms[opening][0]))
            # With a space after it, the last word is whole.
            if constraint.hopeless(begun, decode(begun.tokens) + " " * language.words_apart):
                continue
        yield constraint if closing is None else InPart(Part(None, None), constraint, decode)


def _bounds(number: int, blank: Blank, language: Language, limits: Limits) -> LengthBounds:
    """The bounds of what stands in a blank.

    Raises:
        ProblemError: 422, they cannot hold its keywords.
    """
    asked: FillLength = blank.length
    unit = asked.unit or language.unit
    count = {"characters": count_characters, "words": language.least_words, "tokens": lambda word: 1}[unit]
    needed = sum(map(count, blank.keywords))
    if asked.max is not None and asked.max < needed:
        raise invalid(
            f"blanks[{number}].length.max",
            Code.TOO_SMALL,
            f"{asked.max} {unit} cannot hold the blank's keywords, which take at least {needed}",
            f"give at least {needed}, or fewer keywords",
        )
    most = asked.max or max(needed, asked.min) + language.default_bounds(unit)[1]
    measures = {
        "characters": lambda state, text: count_characters(text),
        "words": lambda state, text: language.count_words(text),
        "tokens": lambda state, text: len(state),
    }
    grows = unit != "words" or language.words_apart
    return LengthBounds(measures[unit], asked.min, min(most, limits.max_length), grows)


def _moves(
    forms: list[list[Tokens]], last: Part, ends: frozenset[int], constraints: Sequence[Constraint]
) -> list[Move]:
    """The moves that can apply; a tail is drawn where the text ends with a blank."""
    moves: list[Move] = [Replace(), Insert(), Delete(), RedrawSpan(), Shift(True)]
    if last.before is None:
        of_last = [each for each in constraints if isinstance(each, InPart) and each.part == last]

        def hopeless(state: State) -> bool:
            beginning = State(state.tokens[:-1], state.owners[:-1])
            return any(each.hopeless(beginning, "") for each in of_last)

        moves.append(Redraw(ends, hopeless=hopeless))
    if any(len(each) > 1 for each in forms):
        moves.append(Reform(forms))
    return moves


def _view(text: BlankedText, parts: Sequence[Part], vocabulary: Vocabulary) -> View:
    """The text as it was given with the blanks filled; where it ends with a blank, with the closing mark too."""

    def spans(state: State) -> list[slice]:
        return [part.span(state) or slice(0, 0) for part in parts]

    def fills(state: State) -> list[str]:
        found = [vocabulary.decode(state.tokens[span]) for span in spans(state)]
        return found if text.segments[-1].text else [*found[:-1], found[-1] + vocabulary.piece(state.tokens[-1])]

    def details(visit: Visit) -> dict[str, Any]:
        log_probs = np.concatenate([visit.log_probs[span] for span in spans(visit.state)])
        return {"fills": fills(visit.state), "fill_log_prob_per_token": float(log_probs.mean())}

    return View(Infill, lambda state: text.filled(fills(state)), details)
