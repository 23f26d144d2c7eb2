"""From a request to a sampling problem: blocks, target and kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.languages.base import Language, Unit, count_characters
from app.languages.choice import Named, choose_language, choose_vocabulary
from app.settings.settings import Limits
from app.tasks.keywords.checks import check, check_forbidden, check_keywords, form_field, forms_of
from app.tasks.keywords.room import refuse_without_room
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.schemas import Annealing, Listed, Moves
from app.web.codes import Code
from app.web.problems import invalid
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Vocabulary
from samplers import schedules
from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.repeats import NoStutter
from samplers.first_states import KeywordBlocks
from samplers.kernels.annealing import SimulatedAnnealing
from samplers.kernels.base import Chain, Kernel
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
from samplers.moves.swap import Swap
from samplers.schedules import Schedule
from samplers.state import END, State
from samplers.target import Target

MOVING = {False: 4.0, True: 8.0}
"""Of all steps drawn ahead, in one stage or two, so many are expected to move their chains: with fewer the cost of
reading the weights is shared by too few, with more too many are drawn in vain."""
LEAST_AHEAD, MOST_AHEAD = 2, 24
"""Steps drawn ahead; after an acceptance the rest are thrown away, so with many requests there are few."""

DRAFTS, DRAFTS_OF_A_CHAIN = 32, 4
"""First states that a request draws unless told otherwise: many chains are a choice already."""

Forms = list[list[tuple[int, ...]]]
"""For each keyword the token sequences of its forms."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, made ready to sample.

    Attributes:
        language: what the sentences are written in.
        vocabulary: which mask.
        blocks: keywords and closing token.
        target: the law.
        kernel: the Markov kernel.
        drafts: first states that each chain draws.
        most_tokens: no sentence of the support is likely to have more; against the model's length.
    """

    language: Language
    vocabulary: Vocabulary
    blocks: KeywordBlocks
    target: Target
    kernel: Kernel
    drafts: int
    most_tokens: int


def make_plan(
    request: SentencesRequest, model: LoadedModel, limits: Limits, running: Callable[[], int] = lambda: 1
) -> Plan:
    """Check a request and make a plan of it; ``running`` tells how many requests use the model.

    May build a vocabulary, so keep it off the event loop.

    Raises:
        ProblemError: 422, with what is wrong and how to mend it.
    """
    check(request, limits)
    words = forms_of(request)
    named = [Named(form_field(request, i, form), form) for i, forms in enumerate(words) for form in forms]
    language = choose_language(request.language, [form.text for form in named])
    check_keywords(named, language)
    check_forbidden(named, request.forbidden, language)
    vocabulary = choose_vocabulary(language, named, model.vocabulary, Vocabulary.spellings)
    spellings: Forms = [
        list(dict.fromkeys(tokens for form in forms for tokens in vocabulary.spellings(form))) for forms in words
    ]

    unit = request.length.unit or language.unit
    length, most_tokens = _length(request, words, spellings, unit, language)
    decode = vocabulary.decode
    constraints: list[Constraint] = [length, AllKeywords(words, language.edges, request.ordered)]
    constraints += language.constraints(words, decode)
    forbidden = ForbiddenWords(request.forbidden, language.forbidden_edges)
    if request.forbidden:
        constraints.append(forbidden)
    if not request.allow_repeats:
        constraints.append(NoStutter(decode))
    target = Target(decode, constraints, length_reward=request.sampler.length_reward)
    blocks = KeywordBlocks(spellings, request.ordered, _end(vocabulary, language.full_stop, forbidden))
    refuse_without_room(blocks, target, vocabulary, length, unit, language)
    return Plan(
        language=language,
        vocabulary=vocabulary,
        blocks=blocks,
        target=target,
        kernel=_kernel(request, target, spellings, running),
        drafts=drafts_of(request),
        most_tokens=most_tokens,
    )


def drafts_of(request: SentencesRequest) -> int:
    """How many first states each chain of a request draws."""
    asked = request.sampler.drafts
    return max(1, min(DRAFTS_OF_A_CHAIN, DRAFTS // request.sampler.chains)) if asked is None else asked


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


def _length(
    request: SentencesRequest, words: Sequence[Sequence[str]], spellings: Forms, unit: Unit, language: Language
) -> tuple[LengthBounds, int]:
    """The bounds, and about how many tokens they allow."""
    counts = {
        "characters": [min(map(count_characters, forms)) for forms in words],
        "words": [min(map(language.least_words, forms)) for forms in words],
        "tokens": [min(map(len, forms)) for forms in spellings],
    }[unit]
    needed = sum(counts) + (unit != "words")
    least, most = request.length.min or 0, request.length.max
    if most is not None and most < needed:
        closing = "" if unit == "words" else " and the closing mark"
        raise invalid(
            "length.max",
            Code.TOO_SMALL,
            f"{most} {unit} cannot hold the keywords{closing}, which take at least {needed}",
            f"give at least {needed + 2 * len(words)}, so that there is room for words between, or fewer keywords",
        )
    if most is None:
        base, room = language.default_bounds(unit)
        most = max(base, 2 * max(needed, least) + room)
    tokens = sum(max(map(len, forms)) for forms in spellings) + 1 + 3 * most
    return LengthBounds(language.measure(unit), least, most), tokens


def _kernel(request: SentencesRequest, target: Target, spellings: Forms, running: Callable[[], int]) -> Kernel:
    sampler = request.sampler
    moves, weights = _mix(sampler.moves, request.ordered, spellings)

    def lookahead(chain: Chain, active: int) -> int:
        moving = MOVING[sampler.delayed] / (active * max(1, running()))
        return max(LEAST_AHEAD, min(MOST_AHEAD, 1 + round(moving / chain.acceptance_rate)))

    kind = DelayedAcceptance if sampler.delayed else MetropolisHastings
    if isinstance(sampler, Annealing):
        return SimulatedAnnealing(kind(target, moves, weights, lookahead=lookahead), _schedule(sampler))
    return kind(target, moves, weights, sampler.beta, lookahead)


def _mix(asked: Moves, ordered: bool, spellings: Forms) -> tuple[list[Move], dict[str, float]]:
    """The moves that can apply, with weights that sum to 1."""
    moves: list[Move] = [Replace(), Insert(), Delete()]
    if not ordered and len(spellings) > 1:
        moves.append(Swap())
    if any(len(forms) > 1 for forms in spellings):
        moves.append(Reform(spellings))
    given = dict(asked)
    moves = [move for move in moves if given[move.name] > 0]
    total = sum(given[move.name] for move in moves)
    if not moves:
        raise invalid(
            "sampler.moves",
            Code.CONTRADICTORY,
            "only swap or reform has a weight, and it does not apply: swap needs two unordered keywords, reform a "
            "keyword with several forms",
            "give replace, or insert and delete, a weight above 0",
        )
    weights = {move.name: given[move.name] / total for move in moves}
    for name, weight in weights.items():
        if weight < 1e-9:
            raise invalid(
                f"sampler.moves.{name}",
                Code.TOO_SMALL,
                f"the weight {given[name]:g} vanishes beside the others",
                "give 0, or at least a billionth of the sum",
            )
    return moves, weights


def _schedule(sampler: Annealing) -> Schedule:
    schedule = sampler.schedule
    if isinstance(schedule, Listed):
        return schedules.listed(schedule.betas, sampler.steps)
    make = schedules.linear if schedule.kind == "linear" else schedules.geometric
    return make(schedule.start, schedule.stop, sampler.steps)
