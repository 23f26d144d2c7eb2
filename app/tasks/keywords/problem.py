"""From a request for sentences to a sampling problem."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from app.languages.base import Language, Unit, count_characters
from app.languages.choice import choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.keywords.checks import check
from app.tasks.keywords.contradictions import contradictions, opening_faults
from app.tasks.keywords.fixed import Fixed, fixed_texts
from app.tasks.keywords.forms import forms_of
from app.tasks.keywords.pattern import fitted
from app.tasks.keywords.room import refuse_without_room
from app.tasks.keywords.schemas import Length, SentencesRequest
from app.tasks.sampling.contexts import contexts_of
from app.tasks.sampling.pattern import compiled
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import invalid, refuse
from models.language.default_weights import DEFAULT_MODEL
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from samplers.constraints.base import Constraint
from samplers.constraints.copies import NoCopies
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.once import SaidOnce
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
from samplers.moves.swap import Swap
from samplers.state import END, State
from samplers.target import Target

Forms = list[list[tuple[int, ...]]]
"""For each keyword the token sequences of its forms."""


def make_problem(request: SentencesRequest, model: LoadedModel, limits: Limits) -> SamplingProblem:
    """Check a request and make a problem of it; may build a vocabulary, so keep it off the event loop.

    Raises:
        ProblemError: 422, with what is wrong and how to mend it.
    """
    keywords = forms_of(request.keywords)
    named = list(chain.from_iterable(keywords))
    language = choose_language(request.language, [form.text for form in named])
    check(request, keywords, language, limits)
    fixed = fixed_texts(request, keywords, language)
    refuse([*contradictions(fixed, keywords, request.forbidden, language, request.allow_repeats)])
    vocabulary = choose_vocabulary(
        language, [*named, *fixed.named, *fixed.characters], model.vocabulary, Vocabulary.spellings
    )
    placed = [[form.text for form in forms] for forms in fixed.placed]
    spellings: Forms = [
        list(dict.fromkeys(tokens for form in forms for tokens in vocabulary.spellings(form))) for forms in placed
    ]
    spellings += fixed.spellings(vocabulary, language)

    unit = request.length.unit or language.unit
    others = fixed.texts(language)
    length, longest = _bounds(request.length, [*placed, *others], spellings, unit, language, bool(others))
    words = [[form.text for form in forms] for forms in keywords]
    constraints: list[Constraint] = [length, AllKeywords(words, language.edges, request.ordered)]
    constraints += language.constraints(placed, vocabulary.decode)
    refuse([*opening_faults(fixed.opening, constraints)])
    constraints += fixed.constraints(language, vocabulary.decode)
    forbidden = ForbiddenWords(request.forbidden, language.forbidden_edges)
    if request.forbidden:
        constraints.append(forbidden)
    if not request.allow_repeats:
        constraints.append(NoStutter(vocabulary.decode))
    contexts = contexts_of(request.context, request.proposals, language, [forms[0] for forms in words], model.chat)
    if not request.allow_copies:
        constraints.append(NoCopies(contexts.texts, language.units, language.copied_run, vocabulary.decode))
    if request.once:
        often = {counted.phrase.lower() for counted in request.counts if (counted.at_least or 0) > 1}
        said_once = [forms for forms in words if often.isdisjoint(map(str.lower, forms))]
        constraints.append(SaidOnce(said_once, language.edges, vocabulary.decode, not language.words_apart))
    automaton = compiled(request.pattern, vocabulary) if request.pattern is not None else None
    if automaton is not None:
        constraints.append(Pattern(automaton))
    target = Target(vocabulary.decode, constraints, objective=request.sampler.objective)
    blocks = _blocks(fixed, spellings, request.ordered, _end(vocabulary, language.full_stop, forbidden, fixed.mark))
    inserts = fixed.inserts(vocabulary)
    blocks = replace(blocks, inserts=inserts, drafted=fixed.drafted(vocabulary, inserts))
    if automaton is not None:
        ends = [token for token in vocabulary.end_tokens if not fixed.mark or token == blocks.end]
        blocks = fitted(blocks, automaton, vocabulary, ends, constraints)
    refuse_without_room(blocks, target, vocabulary, length, unit, language)
    return SamplingProblem(
        language=language,
        vocabulary=vocabulary,
        target=target,
        length=length,
        unit=unit,
        moves=_moves(
            request.ordered,
            spellings[: len(placed) + len(fixed.named)],
            len(placed),
            len(fixed.repeated),
            redraw=Redraw(
                frozenset(vocabulary.end_tokens),
                hopeless=lambda state: length.exceeded(state, vocabulary.decode(state.tokens)),
            ),
        ),
        source=blocks,
        contexts=contexts,
        max_tokens=sum(max(map(len, forms)) for forms in spellings) + 1 + 3 * longest,
        field="keywords",
        remedy=f"loosen {_asked(request)}, give other keywords, or try another seed",
        options=[name for name, asked in (("no_copies", not request.allow_copies), ("once", request.once)) if asked],
        rank_by="naturalness" if language.naturalness and model.name == DEFAULT_MODEL else "log_density",
    )


def _asked(request: SentencesRequest) -> str:
    """The fields that a sentence may be hard to find for."""
    fields = [
        name
        for name in ("starts_with", "ends_with", "acrostic", "pattern", "vocabulary", "counts")
        if getattr(request, name)
    ]
    return " or ".join([", ".join(["length", *fields]), "forbidden"])


def _blocks(fixed: Fixed, spellings: Forms, ordered: bool, end: int) -> KeywordBlocks:
    """The blocks of keywords, repeated phrases, opening, ending, and openings of clauses, in this order."""
    whole = len(fixed.placed) + len(fixed.named)
    outer = range(whole - len(fixed.outer), whole)
    opening = [*outer[:1]] if fixed.opening is not None else []
    closing = outer[-1:] if fixed.ending is not None else ()
    scaffold = [*range(whole, len(spellings))]
    if not fixed.repeated and not scaffold:
        return KeywordBlocks(spellings, ordered, end, opening, closing)
    row = scaffold
    if scaffold and fixed.clauses is not None and fixed.clauses.abuts:
        opening, row = [*opening, scaffold[0]], scaffold[1:]
    rows = [range(len(fixed.placed)), row] if ordered else [row]
    return KeywordBlocks(spellings, False, end, opening, closing, rows, scaffold)


def _moves(ordered: bool, spellings: Forms, keywords: int, repeated: int, redraw: Redraw) -> list[Move]:
    """The moves that can apply."""
    moves: list[Move] = [Replace(), Insert(), Delete(), redraw, RedrawSpan(), Shift(ordered)]
    # Of ordered keywords and a phrase among them, the constraint of their order rejects what breaks it.
    if keywords + repeated > 1 and (not ordered or repeated):
        moves.append(Swap(among=keywords + repeated))
    if any(len(forms) > 1 for forms in spellings):
        moves.append(Reform(spellings))
    return moves


def _end(vocabulary: Vocabulary, full_stop: str, forbidden: ForbiddenWords, mark: str) -> int:
    """The closing token to begin with: the mark asked for, or a full stop, unless it is forbidden.

    Raises:
        ProblemError: 422, every closing mark that will do is forbidden.
    """
    ends = sorted(vocabulary.end_tokens, key=lambda token: vocabulary.pieces[token] != full_stop)
    if mark:
        ends = [token for token in ends if vocabulary.pieces[token] == mark]
    for token in ends:
        closed = State((token,), (END,))
        if not forbidden.violation(closed, vocabulary.decode(closed.tokens)):
            return token
    marks = " ".join(map(vocabulary.piece, ends))
    if mark:
        raise invalid(
            "ends_with", Code.CONTRADICTORY, f"its closing mark {mark!r} is forbidden", "take it out of one of the two"
        )
    raise invalid(
        "forbidden", Code.CONTRADICTORY, f"every mark that closes a sentence is forbidden: {marks}", "allow one of them"
    )


def _bounds(
    asked: Length, words: list[list[str]], spellings: Forms, unit: Unit, language: Language, more: bool
) -> tuple[LengthBounds, int]:
    """The bounds of the length, and the greater of them; ``more``: whether there are texts beside keywords.

    Raises:
        ProblemError: 422, they cannot hold the keywords.
    """
    counts = {
        "characters": [min(map(count_characters, forms)) for forms in words],
        "words": [min(map(language.least_words, forms)) for forms in words],
        "tokens": [min(map(len, forms)) for forms in spellings],
    }[unit]
    needed = sum(counts) + (unit != "words")
    least, most = asked.min or 0, asked.max
    if most is None:
        base, room = language.default_bounds(unit)
        most = max(base, 2 * max(needed, least) + room)
    elif most < needed:
        what = "the keywords and the other texts asked for" if more else "the keywords"
        closing = "" if unit == "words" else " and the closing mark"
        raise invalid(
            "length.max",
            Code.TOO_SMALL,
            f"{most} {unit} cannot hold {what}{closing}, which take at least {needed}",
            f"give at least {needed + 2 * len(words)}, so that there is room for words between, or fewer keywords",
        )
    grows = unit != "words" or language.words_apart
    return LengthBounds(language.measure(unit), least, most, grows), most
