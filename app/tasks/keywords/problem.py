"""From a request for sentences to a sampling problem."""

from __future__ import annotations

from itertools import chain

from app.languages.base import Language, Unit, count_characters
from app.languages.choice import choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.keywords.checks import check
from app.tasks.keywords.forms import forms_of
from app.tasks.keywords.room import refuse_without_room
from app.tasks.keywords.schemas import Length, SentencesRequest
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.repeats import NoStutter
from samplers.first_states import KeywordBlocks
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
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
    vocabulary = choose_vocabulary(language, named, model.vocabulary, Vocabulary.spellings)
    words = [[form.text for form in forms] for forms in keywords]
    spellings: Forms = [
        list(dict.fromkeys(tokens for form in forms for tokens in vocabulary.spellings(form))) for forms in words
    ]

    unit = request.length.unit or language.unit
    length, longest = _bounds(request.length, words, spellings, unit, language)
    constraints: list[Constraint] = [length, AllKeywords(words, language.edges, request.ordered)]
    constraints += language.constraints(words, vocabulary.decode)
    forbidden = ForbiddenWords(request.forbidden, language.forbidden_edges)
    if request.forbidden:
        constraints.append(forbidden)
    if not request.allow_repeats:
        constraints.append(NoStutter(vocabulary.decode))
    target = Target(vocabulary.decode, constraints, length_reward=request.sampler.length_reward)
    blocks = KeywordBlocks(spellings, request.ordered, _end(vocabulary, language.full_stop, forbidden))
    refuse_without_room(blocks, target, vocabulary, length, unit, language)
    return SamplingProblem(
        language=language,
        vocabulary=vocabulary,
        target=target,
        length=length,
        unit=unit,
        moves=_moves(request.ordered, spellings),
        source=blocks,
        max_tokens=sum(max(map(len, forms)) for forms in spellings) + 1 + 3 * longest,
        field="keywords",
        remedy="loosen length or forbidden, give other keywords, or try another seed",
    )


def _moves(ordered: bool, spellings: Forms) -> list[Move]:
    """The moves that can apply."""
    moves: list[Move] = [Replace(), Insert(), Delete()]
    if not ordered and len(spellings) > 1:
        moves.append(Swap())
    if any(len(forms) > 1 for forms in spellings):
        moves.append(Reform(spellings))
    return moves


def _end(vocabulary: Vocabulary, full_stop: str, forbidden: ForbiddenWords) -> int:
    """The closing token to begin with: a full stop, unless it is forbidden.

    Raises:
        ProblemError: 422, every closing mark is forbidden.
    """
    ends = sorted(vocabulary.end_tokens, key=lambda token: vocabulary.pieces[token] != full_stop)
    for token in ends:
        closed = State((token,), (END,))
        if not forbidden.violation(closed, vocabulary.decode(closed.tokens)):
            return token
    marks = " ".join(map(vocabulary.piece, ends))
    raise invalid(
        "forbidden", Code.CONTRADICTORY, f"every mark that closes a sentence is forbidden: {marks}", "allow one of them"
    )


def _bounds(
    asked: Length, words: list[list[str]], spellings: Forms, unit: Unit, language: Language
) -> tuple[LengthBounds, int]:
    """The bounds of the length, and the greater of them.

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
        closing = "" if unit == "words" else " and the closing mark"
        raise invalid(
            "length.max",
            Code.TOO_SMALL,
            f"{most} {unit} cannot hold the keywords{closing}, which take at least {needed}",
            f"give at least {needed + 2 * len(words)}, so that there is room for words between, or fewer keywords",
        )
    return LengthBounds(language.measure(unit), least, most), most
